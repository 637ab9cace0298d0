"""Connections to PostgreSQL that are kept for the next request, and found dead before it comes to grief on them."""

import select
from typing import Any

from django.db import connections


def drop_dead_connections(**_: object) -> None:
    """Receive Django's ``request_started``: close what PostgreSQL has hung up on while it was idle.

    A server that stops says so on each connection, and a connection at rest has nothing to say otherwise; so it is
    enough to look whether something is there to read, which asks the kernel and not the network.
    """
    for connection in connections.all(initialized_only=True):
        if (
            connection.connection is not None
            and not connection.in_atomic_block
            and _speaks(connection.connection)
        ):
            connection.close()


def _speaks(connection: Any) -> bool:
    """Whether something came on an idle connection of psycopg2, or it is closed."""
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(0))
