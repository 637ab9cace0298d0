"""Questions to PostgreSQL and Redis that have an answer in time, even where the service hangs.

A probe keeps one connection of its own, on which it waits for an answer no longer than the deadline.
Connecting may block for longer than any deadline (looking up a name does), so a thread does that; a caller
who cannot wait for it any more leaves it to the next one.
"""

import contextlib
import select
import time
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Generic, TypeVar

import psycopg2
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from psycopg2.extensions import POLL_OK, POLL_READ
from redis.connection import ConnectionInterface

from nexus.ops.redis import client

Connection = TypeVar("Connection")

CONNECT_TIMEOUT_S = 5.0


def remaining(deadline: float) -> float:
    """The seconds until a deadline, which is a ``time.monotonic()`` here throughout; never less than 0."""
    return max(deadline - time.monotonic(), 0)


class Probe(ABC, Generic[Connection]):
    """Asks a service whether it answers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=type(self).__name__)
        self._connection: Connection | None = None
        self._connecting: Future[Connection] | None = None

    @abstractmethod
    def connect(self) -> Connection:
        """A connection to the service; may take its time."""

    @abstractmethod
    def ask(self, connection: Connection, deadline: float) -> None:
        """Get an answer from the service. Raises an exception of any kind if there is none in time."""

    @abstractmethod
    def close(self, connection: Connection) -> None:
        """Close a connection that is of no more use."""

    def answers(self, deadline: float) -> bool:
        """Whether the service answers before the deadline."""
        if not self._lock.acquire(timeout=remaining(deadline)):
            return False
        try:
            # A connection that was kept may have died with a server that is back by now.
            return self._asked(deadline) or self._asked(deadline)
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                self.close(connection)

    def _asked(self, deadline: float) -> bool:
        try:
            if self._connection is None:
                self._connection = self._connected(deadline)
            self.ask(self._connection, deadline)
        except Exception:
            self.forget()
            return False
        return True

    def _connected(self, deadline: float) -> Connection:
        if self._connecting is None:
            self._connecting = self._thread.submit(self.connect)
        try:
            return self._connecting.result(timeout=remaining(deadline))
        finally:
            if self._connecting.done():
                self._connecting = None


class DatabaseProbe(Probe[Any]):
    """``SELECT 1`` on an asynchronous connection, the one kind of psycopg2 that need not be waited for."""

    def connect(self) -> Any:
        """A connection to Django's default database."""
        parameters = connections["default"].get_connection_params()
        for ours in ("cursor_factory", "isolation_level", "server_side_binding", "assume_role"):
            parameters.pop(ours, None)
        connection = psycopg2.connect(**parameters, async_=True)
        wait(connection, time.monotonic() + CONNECT_TIMEOUT_S)
        return connection

    def ask(self, connection: Any, deadline: float) -> None:
        """Raises psycopg2.Error or TimeoutError."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            wait(connection, deadline)
            cursor.fetchone()

    def close(self, connection: Any) -> None:
        """Close the socket."""
        connection.close()


def wait(connection: Any, deadline: float) -> None:
    """Wait for an asynchronous connection (psycopg.org/docs/advanced.html). Raises TimeoutError."""
    while (state := connection.poll()) != POLL_OK:
        waiting = select.poll()
        waiting.register(connection, select.POLLIN if state == POLL_READ else select.POLLOUT)
        if not waiting.poll(1000 * remaining(deadline)):
            raise TimeoutError


class RedisProbe(Probe[ConnectionInterface]):
    """``PING`` on a connection outside of the pool and of its breaker."""

    def connect(self) -> ConnectionInterface:
        """A connection like those of `nexus.ops.redis.client`."""
        pool = client().connection_pool
        connection: ConnectionInterface = pool.connection_class(**pool.connection_kwargs)
        connection.connect()
        return connection

    def ask(self, connection: ConnectionInterface, deadline: float) -> None:
        """Raises redis.RedisError or TimeoutError."""
        connection.send_command("PING")
        if not connection.can_read(timeout=remaining(deadline)):
            raise TimeoutError
        connection.read_response()

    def close(self, connection: ConnectionInterface) -> None:
        """Close the socket."""
        connection.disconnect()


class MigrationsProbe:
    """Whether every migration has been run; once that is so it is not asked again."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=type(self).__name__)
        self._complete = False
        self._asking: Future[bool] | None = None

    def answers(self, deadline: float) -> bool:
        """Whether the database is known to be complete before the deadline."""
        if self._complete:
            return True
        if self._asking is None:
            self._asking = self._thread.submit(migrations_are_complete)
        asking = self._asking
        with contextlib.suppress(Exception):
            self._complete = asking.result(timeout=remaining(deadline))
        if asking.done():
            self._asking = None
        return self._complete

    def forget(self) -> None:
        """Ask again the next time."""
        self._complete = False


def migrations_are_complete() -> bool:
    """Whether Django has no migration left to run. Raises django.db.Error."""
    connection = connections["default"]
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    finally:
        connection.close()
