"""What reviewers decided about the same text, or nearly the same, before. It counts from the very next answer on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import F

from classification import engine
from classification.engine.text import NAME_LIMIT, SHORT_LIMIT, clean, near_identity, words
from classification.models import Classification, Precedent, Review
from nexus.api.database import lock_name

# A name of a single word, such as that of a brand, says too little to stand for others.
FEWEST_WORDS = 2
# A number of so many digits without a unit is that of a part or a model, not a size.
SHORTEST_PART_NUMBER = 4

# One row for each decision about the same text, and one for all about nearly the same: what they agree on.
_LOOK_UP = """
SELECT true AS is_exact, exact, precedent.category_id, is_right, agreed, product_id
FROM classification_precedent AS precedent
    LEFT JOIN classification_review AS review ON review.id = review_id
    LEFT JOIN classification_classification AS answer ON answer.id = classification_id
WHERE precedent.taxonomy_id = %(taxonomy)s AND exact = ANY(%(exact)s::uuid[])
UNION ALL
SELECT false, near, min(category_id), min(category_id) = max(category_id), sum(agreed), NULL
FROM classification_precedent WHERE taxonomy_id = %(taxonomy)s AND is_right AND near = ANY(%(near)s::uuid[])
GROUP BY near
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a text is known again; `near` is None for a name that has too few words of its own."""

    exact: UUID
    near: UUID | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A category that reviewers found right, how many of them in a row, and of which product where that is known."""

    category_id: int
    agreed: int
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class Precedents:
    """What reviewers decided about one text.

    `same` is about this very text, `similar` about texts that differ from it in sizes, colours and order alone.
    `wrong` are the categories that a reviewer rejected for this very text. `is_disputed` says that reviewers put
    similar texts into different categories, so that none of these decisions can speak for the others.
    """

    same: Decided | None = None
    similar: Decided | None = None
    wrong: frozenset[int] = frozenset()
    is_disputed: bool = False


NOTHING = Precedents()


def identity(text: engine.Text) -> Identity:
    """The digests of a text."""
    whole = [text.name, text.description, text.manufacturer, text.part_number, dict(text.attributes)]
    return Identity(_digest(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)), _near(text))


def _near(text: engine.Text) -> UUID | None:
    kept = near_identity(text.name)
    if kept.count(" ") + 1 < FEWEST_WORDS:
        return None
    numbers = [
        word
        for word in words(clean(text.name, NAME_LIMIT))
        if word.isdigit() and len(word) >= SHORTEST_PART_NUMBER
    ]
    maker = clean(text.manufacturer, SHORT_LIMIT)
    return _digest(f"{maker}\n{kept}\n{' '.join(sorted(numbers))}".encode())


def _digest(content: bytes) -> UUID:
    return UUID(bytes=hashlib.blake2b(content, digest_size=16).digest())


def look_up(taxonomy_id: int, texts: Sequence[engine.Text]) -> list[Precedents]:
    """What was decided about each of some texts; one query for all of them."""
    identities = [identity(text) for text in texts]
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOK_UP,
            {
                "taxonomy": taxonomy_id,
                "exact": [str(one.exact) for one in identities],
                "near": [str(one.near) for one in identities if one.near],
            },
        )
        rows = cursor.fetchall()
    same: dict[UUID, list[Any]] = {}
    for is_exact, digest, *row in rows:
        if is_exact:
            same.setdefault(digest, []).append(row)
    similar = {digest: row for is_exact, digest, *row in rows if not is_exact}
    return [_precedents(one, same, similar) for one in identities]


def _precedents(
    one: Identity, same: Mapping[UUID, list[Any]], similar: Mapping[UUID | None, Any]
) -> Precedents:
    decisions = same.get(one.exact, ())
    right = [
        Decided(category, agreed, product) for category, is_right, agreed, product in decisions if is_right
    ]
    category, is_agreed, agreed, _ = similar.get(one.near, (None, True, 0, None))
    return Precedents(
        same=right[0] if right else None,
        similar=Decided(category, int(agreed)) if category and is_agreed else None,
        wrong=frozenset(category for category, is_right, *_ in decisions if not is_right),
        is_disputed=not is_agreed,
    )


def record(answer: Classification, review: Review) -> None:
    """Keep a decision for the answers to come. Call it in the transaction of the review.

    Of a text that was decided before, the newest decision counts. A rejection answers nothing: it only keeps the
    rejected category from being accepted for this text without a reviewer.
    """
    is_right = review.decision != Review.Decision.REJECT
    category_id = review.category_id if is_right else answer.category_id
    if category_id is None:
        return
    known = identity(engine.Text(**answer.input))
    _lock(known.exact)
    same = Precedent.objects.filter(taxonomy=answer.taxonomy_id, exact=known.exact)
    if is_right:
        same.filter(is_right=True).exclude(category=category_id).update(is_right=False, agreed=1)
    of_now = {"review": review.pk, "decided_at": review.decided_at}
    if same.filter(category=category_id, is_right=is_right).update(agreed=F("agreed") + 1, **of_now):
        return
    if same.filter(category=category_id).update(is_right=is_right, agreed=1, **of_now):
        return
    Precedent.objects.create(
        taxonomy_id=answer.taxonomy_id,
        exact=known.exact,
        near=known.near,
        category_id=category_id,
        is_right=is_right,
        review=review,
        decided_at=review.decided_at,
    )


def _lock(exact: UUID) -> None:
    """Let decisions about one text be kept one after the other."""
    lock_name(f"precedent {exact}")
