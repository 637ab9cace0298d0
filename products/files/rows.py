"""Products read from the database as rows of a file, without an instance of any of them."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

from django.db import connections, transaction

from products.files.columns import COLUMNS
from products.querysets import ProductQuerySet

# The id, and a text for each other column.
Row = tuple[Any, ...]

ROWS_AT_ONCE = 2_000
# For the reading thread to ask PostgreSQL; Python would let it only when the caller waits, or after 5 ms.
MOMENT_S = 0.0001


def batches(queryset: ProductQuerySet) -> Generator[list[Row]]:
    """The rows of products in order of their ids, some thousand at a time, off a cursor of the database.

    While the caller is busy with some, PostgreSQL makes the next ones.

    The cursor lives in a transaction, so that PostgreSQL finds rows as they are asked for and keeps none. Both end with
    the iterator, also when it is closed before its end. It is made by hand because Django makes none where a pooler
    shares sessions between transactions, though within one transaction it works there as well.
    """
    sql, parameters = selected(queryset).query.sql_with_params()
    connection: Any = connections[queryset.db]
    with (
        transaction.atomic(using=queryset.db),
        connection.chunked_cursor() as cursor,
        ThreadPoolExecutor(1) as reader,
    ):
        cursor.execute(sql, parameters)
        ahead = reader.submit(cursor.fetchmany, ROWS_AT_ONCE)
        while rows := ahead.result():
            ahead = reader.submit(cursor.fetchmany, ROWS_AT_ONCE)
            sleep(MOMENT_S)
            yield rows


def selected(queryset: ProductQuerySet) -> Any:
    """A queryset of the rows of products, in order of their ids."""
    return queryset.order_by("pk").values_list(*(column.source for column in COLUMNS))
