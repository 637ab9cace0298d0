"""Finding products by words and part numbers, typed roughly.

1. Every word must be there, at least as the beginning of one (``dhp48`` finds DHP484Z). Texts are taken apart by
   PostgreSQL's parser in the configuration "simple", in queries as in products.
2. When nothing has all the words, each word that no product has is replaced by those most like it that products
   have: candidates by the trigrams of names, makers and numbers, the nearest by `difflib`.
3. The best come first: a SKU, part number or GTIN that is the text itself, then products with all the words
   whole, then by `ts_rank` (numbers weigh more than names, and names more than descriptions).

Working out the rank of a product takes microseconds, so it is done for up to `RANKED_AT_MOST` matches. A search that
finds more of them says little about what is best; its matches come newest first, off the index.
"""

import difflib
from collections.abc import Sequence

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from products.counting import count
from products.models import LABEL, Product
from products.querysets import ProductQuerySet

MAX_LENGTH = 200
MAX_WORDS = 12
RANKED_AT_MOST = 10_000
BEST_FIRST = ("-rank", "-id")
NEWEST_FIRST = ("-id",)

# Of pg_trgm's word_similarity: the first finds most typing errors quickly, the second the rest.
SIMILARITIES = (0.5, 0.3)
CANDIDATE_PRODUCTS = 2000
CANDIDATE_WORDS = 50
CORRECTIONS = 3
LIKENESS = 0.7
SHORTEST_CORRECTED = 3


def search(queryset: ProductQuerySet, text: str) -> ProductQuerySet:
    """The products of a queryset that a text finds, the best first; `rank` is annotated."""
    words = text.split()[:MAX_WORDS]
    alternatives = [[word] for word in words]
    query = _query(alternatives)
    if not _found(query):
        alternatives = [_corrected(word) for word in words]
        query = _query(alternatives)
    found = queryset.filter(search_vector=query).annotate(rank=_rank(text, query, alternatives))
    return found.order_by(*BEST_FIRST)


def affordable(found: ProductQuerySet) -> ProductQuerySet:
    """What a search found, the newest first where that is too much to rank. Counts it."""
    return found.order_by(*NEWEST_FIRST) if count(found) > RANKED_AT_MOST else found


def _query(alternatives: Sequence[Sequence[str]], *, whole: bool = False) -> SearchQuery:
    """The search for all of some words, each given as its alternatives; whole, or as beginnings of words."""
    groups = (" | ".join(_term(word, whole=whole) for word in words) for words in alternatives)
    return SearchQuery(" & ".join(f"({group})" for group in groups), config="simple", search_type="raw")


def _term(word: str, *, whole: bool) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    if whole or len(word) < 2:
        return f"'{quoted}'"
    # The beginning of an English plural is its singular.
    if len(word) > 3 and word.isalpha() and word.endswith(("s", "S")):
        return f"'{quoted[:-1]}':*"
    return f"'{quoted}':*"


def _found(query: SearchQuery) -> bool:
    # Not EXISTS: for that PostgreSQL reads the table from its start, hoping for an early match.
    return count(Product.objects.filter(search_vector=query)) > 0


def _corrected(word: str) -> list[str]:
    """A word, or the words most like it when no product has it."""
    if len(word) < SHORTEST_CORRECTED or _found(_query([[word]])):
        return [word]
    for similarity in SIMILARITIES:
        like = difflib.get_close_matches(word.lower(), _words_like(word, similarity), CORRECTIONS, LIKENESS)
        if like:
            return like
    return [word]


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


def _rank(text: str, query: SearchQuery, alternatives: Sequence[Sequence[str]]) -> Combinable:
    """A whole number, so that a cursor can name it exactly."""
    text = text.strip()
    named = Q(sku__iexact=text) | Q(part_number__iexact=text) | Q(gtin=text)
    whole = Q(search_vector=_query(alternatives, whole=True))
    likeness = SearchRank(F("search_vector"), query, normalization=Value(1)) * 900_000.0
    return _points(named, 2_000_000) + _points(whole, 1_000_000) + Cast(likeness, IntegerField())


def _points(condition: Q, points: int) -> Case:
    return Case(When(condition, then=Value(points)), default=Value(0), output_field=IntegerField())
