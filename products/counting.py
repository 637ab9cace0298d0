"""How many products there are, exactly and without counting them each time.

Triggers write one row to `ProductCountDelta` for each statement that changes products. What a transaction sees of
those rows adds up to the number of products that it sees. Which of them it sees (their number, and the exclusive or
of their random marks) stands for the state of the whole table, so that anything worked out from products can be
kept in the cache under it: it is found for exactly as long as it is true.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet

KEPT_S = 600
# Pages are large, so they are not kept for long.
PAGES_KEPT_S = 30

Remembered = TypeVar("Remembered")


@dataclass(frozen=True, slots=True)
class State:
    """The number of products, and a key that changes whenever a product does."""

    total: int
    key: str


def state() -> State:
    """The state of the products that this transaction sees."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(delta), 0), count(*), coalesce(bit_xor(mark), 0) FROM products_productcountdelta"
        )
        total, rows, marks = cursor.fetchone()
    return State(int(total), f"{rows}.{marks}")


def kept_page(address: str, make: Callable[[], bytes]) -> bytes:
    """A page of products as `make` gives it; the one made before as long as nothing that it shows has changed.

    The page must depend on its address alone, and not on who asks.
    """
    key = f"products.page:{_state_of_all()}:{_digest(address)}"
    page: bytes | None = cache.get(key)
    if page is None:
        page = make()
        cache.set(key, page, PAGES_KEPT_S)
    return page


def _state_of_all() -> str:
    """A key that changes whenever a product, a category or a taxonomy does.

    A change of a category counts the revision of its taxonomy up, in the same transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT concat_ws('.', count(*), bit_xor(mark), (SELECT md5(string_agg(taxonomy::text, ' ' ORDER BY id))"
            " FROM products_taxonomy AS taxonomy)) FROM products_productcountdelta"
        )
        return str(cursor.fetchone()[0])


def count(queryset: QuerySet[Any]) -> int:
    """The exact number of rows of a queryset over products."""
    if not queryset.query.has_filters() and not queryset.query.is_sliced:
        return state().total
    ids = queryset.order_by().values("pk")
    return int(remembered("count", ids.query.sql_with_params(), ids.count))


def remembered(kind: str, subject: object, work: Callable[[], Remembered]) -> Remembered:
    """What `work` finds out about a subject (known by its `repr`) from products alone, kept while they are the same."""
    digest = hashlib.blake2b(repr(subject).encode(errors="surrogatepass"), digest_size=16).hexdigest()
    key = f"products.{kind}:{state().key}:{digest}"
    known: Remembered | None = cache.get(key)
    if known is None:
        known = work()
        cache.set(key, known, KEPT_S)
    return known


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()
