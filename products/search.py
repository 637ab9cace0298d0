"""Finding products by words and part numbers, typed roughly.

1. Every word must be there: words of a language in the singular or the plural, words with a digit at least as the
   beginning of one (``dhp48`` finds DHP484Z). Texts are taken apart by PostgreSQL's parser in the configuration
   "simple", in queries as in products.
2. When nothing has all of them, every word may be the beginning of one.
3. When still nothing has all of them, each word that no product has is replaced by those most like it that products
   have: candidates by the trigrams of names, makers and numbers, the nearest by `difflib`.
4. The best come first: a SKU, part number or GTIN that is the text itself, then products with all the words
   exactly, then by `ts_rank` (numbers weigh more than names, and names more than descriptions).

Working out the rank of a product takes some ten microseconds, so it is done for up to `RANKED_AT_MOST` matches. A
search that finds more of them says little about what is best; its matches come newest first, off the index.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from products.counting import count, remembered
from products.models import LABEL, Product
from products.querysets import ProductQuerySet

MAX_LENGTH = 200
MAX_WORDS = 12
RANKED_AT_MOST = 5_000
BEST_FIRST = ("-rank", "-id")
NEWEST_FIRST = ("-id",)

# Of pg_trgm's word_similarity: the first finds most typing errors quickly, the second the rest.
SIMILARITIES = (0.5, 0.3)
CANDIDATE_PRODUCTS = 2000
CANDIDATE_WORDS = 50
CORRECTIONS = 3
LIKENESS = 0.7
SHORTEST_CORRECTED = 3
SHORTEST_BEGINNING = 2
SHORTEST_INFLECTED = 3


def search(queryset: ProductQuerySet, text: str) -> ProductQuerySet:
    """The products of a queryset that a text finds, the best first; `rank` is annotated."""
    words = text.split()[:MAX_WORDS]
    query = remembered("search", words, lambda: _terms(words))
    found = queryset.filter(search_vector=_query(query)).annotate(rank=_rank(text.strip(), words, query))
    return found.order_by(*BEST_FIRST)


def affordable(found: QuerySet[Any]) -> QuerySet[Any]:
    """What a search found, the newest first where that is too much to rank. Counts it."""
    return found.order_by(*NEWEST_FIRST) if count(found) > RANKED_AT_MOST else found


def _terms(words: Sequence[str]) -> str:
    """The search for some words in PostgreSQL's notation, the strictest that finds anything."""
    for strictness in (_exact_or_number, _beginning, _corrected):
        query = _all(strictness(word) for word in words)
        if _finds(query):
            return query
    return query


def _exact_or_number(word: str) -> str:
    return _beginning(word) if any(character.isdigit() for character in word) else _any(_forms(word))


def _forms(word: str) -> list[str]:
    """A word with its plural, or its singular, as English makes them."""
    if not word.isalpha() or len(word) < SHORTEST_INFLECTED:
        return [word]
    lower = word.lower()
    if lower.endswith("es"):
        return [word, word[:-1], word[:-2]]
    if lower.endswith("s") and not lower.endswith("ss"):
        return [word, word[:-1]]
    return [word, f"{word}s", f"{word}es"]


def _beginning(word: str) -> str:
    if len(word) < SHORTEST_BEGINNING:
        return _quoted(word)
    return " | ".join(f"{_quoted(form)}:*" for form in _forms(word))


def _corrected(word: str) -> str:
    """A word as it is when products have it, else the words most like it."""
    if len(word) < SHORTEST_CORRECTED or _finds(_beginning(word)):
        return _beginning(word)
    for similarity in SIMILARITIES:
        like = difflib.get_close_matches(word.lower(), _words_like(word, similarity), CORRECTIONS, LIKENESS)
        if like:
            return _any(like)
    return _beginning(word)


def _all(terms: Iterable[str]) -> str:
    return " & ".join(f"({term})" for term in terms)


def _any(words: Iterable[str]) -> str:
    return " | ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _query(terms: str) -> SearchQuery:
    return SearchQuery(terms, config="simple", search_type="raw")


def _finds(terms: str) -> bool:
    # Not EXISTS: for that PostgreSQL reads the table from its start, hoping for an early match.
    return count(Product.objects.filter(search_vector=_query(terms))) > 0


def _words_like(word: str, similarity: float) -> list[str]:
    """Words of products whose label has something like a word in it, the most alike first."""
    candidates = Product.objects.annotate(label=LABEL).filter(label__trigram_word_similar=word)
    sql, parameters = (
        candidates.values("search_vector").order_by()[:CANDIDATE_PRODUCTS].query.sql_with_params()
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(similarity)])
        # The inner query is Django's own text; every value is a parameter.
        cursor.execute(
            f"SELECT lexeme FROM (SELECT DISTINCT lexeme FROM ({sql}) AS products, unnest(search_vector))"  # noqa: S608
            " AS words ORDER BY similarity(lexeme, %s) DESC LIMIT %s",
            [*parameters, word, CANDIDATE_WORDS],
        )
        return [row[0] for row in cursor.fetchall()]


def _rank(text: str, words: Sequence[str], terms: str) -> Combinable:
    """A whole number, so that a cursor can name it exactly."""
    named = Q(sku__iexact=text) | Q(part_number__iexact=text) | Q(gtin=text)
    exact = Q(search_vector=_query(_all(map(_quoted, words))))
    likeness = SearchRank(F("search_vector"), _query(terms), normalization=Value(1)) * 900_000.0
    return _points(named, 2_000_000) + _points(exact, 1_000_000) + Cast(likeness, IntegerField())


def _points(condition: Q, points: int) -> Case:
    return Case(When(condition, then=Value(points)), default=Value(0), output_field=IntegerField())
