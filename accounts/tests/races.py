"""Races that happen every time: calls that all wait for the same row, and then go on together."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, connections, transaction
from django.db.models import QuerySet

PATIENCE_S = 20.0


def at_once(
    rows: QuerySet[Any],
    calls: Sequence[Callable[[], Any]],
    meanwhile: Callable[[], Any] = lambda: None,
) -> list[Any]:
    """What calls return or raise, each on a thread of its own, all held up where they first need one of the rows.

    `meanwhile` is done before they go on.
    """
    with ThreadPoolExecutor(len(calls)) as pool:
        with transaction.atomic():
            list(rows.select_for_update())
            futures = [pool.submit(_outcome, call) for call in calls]
            deadline = time.monotonic() + PATIENCE_S
            while _waiting() < len(calls):
                assert time.monotonic() < deadline, "the calls do not wait for these rows"
                time.sleep(0.01)
            meanwhile()
        return [future.result(timeout=PATIENCE_S) for future in futures]


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return error
    finally:
        connections.close_all()


def _waiting() -> int:
    """How many statements wait for a lock."""
    with connection.cursor() as cursor:
        # Inside a transaction PostgreSQL would give the same figures again.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])
