"""Querysets whose SQL Django writes once, and PostgreSQL plans once a session.

For a few rows, to write the SQL and to plan it takes longer than to read them.

A session is one server process of PostgreSQL. A pooler that gives each transaction another session (PgBouncer in
transaction mode) loses what was prepared: there Django wants ``DISABLE_SERVER_SIDE_CURSORS``, and where that is set
the SQL is sent as it is.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

# https://www.postgresql.org/docs/current/errcodes-appendix.html: the session does not know the statement, or a
# column of its rows has another type since.
LOST = {"26000", "0A000"}
# A list can be asked for in more orders and sizes than a session should keep statements.
MAX_STATEMENTS = 200
# How many statements each connection of psycopg has prepared.
_numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()


def plan_once(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receive Django's ``connection_created``: a prepared statement has one plan, whatever its values.

    They are keys; a plan for each of them would cost more than it could save.
    """
    if not _pooled(connection):
        with connection.connection.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_generic_plan")


def _pooled(connection: BaseDatabaseWrapper) -> bool:
    """Whether each transaction may have another session."""
    return bool(connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))


class Prepared:
    """A queryset that is always the same but for the values of its parameters, which each run gives in their order.

    The values that the queryset is made with only stand for others. Those given must be of the parameters' types.
    """

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self._queryset = queryset
        self._compiler: Any = queryset.query.get_compiler(queryset.db)
        self._sql, self.parameters = self._compiler.as_sql()
        columns = [column for column, *_ in self._compiler.select[: self._compiler.col_count]]
        self._converters = self._compiler.get_converters(columns)
        # What to send, by connection of psycopg.
        self._calls: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def run(self, *parameters: object) -> list[Any]:
        """The rows, as the queryset gives them. Raises ValueError for another number of parameters."""
        if len(parameters) != len(self.parameters):
            raise ValueError(f"There are {len(self.parameters)} parameters, not {len(parameters)}.")
        connection = connections[self._compiler.using]
        try:
            return self._rows(connection, parameters)
        except DatabaseError as error:
            if getattr(error.__cause__, "pgcode", None) not in LOST:
                raise
            self._calls.pop(connection.connection, None)
            # A transaction is lost with its first error; the next one prepares the statement again.
            if connection.in_atomic_block:
                raise
        return self._rows(connection, parameters)

    def _rows(self, connection: BaseDatabaseWrapper, parameters: Sequence[object]) -> list[Any]:
        sql = self._call(connection)
        # A compiler belongs to one run on one connection; what it has worked out of the queryset is shared.
        compiler = copy(self._compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *args, **kwargs: (sql, parameters)
        compiler.get_converters = lambda expressions: self._converters
        rows: Any = self._queryset.all()
        rows.query.get_compiler = lambda *args, **kwargs: compiler
        return list(rows)

    def _call(self, connection: BaseDatabaseWrapper) -> str:
        """The SQL that runs the statement in the session of a connection, which has prepared it then."""
        if _pooled(connection):
            return self._sql
        connection.ensure_connection()
        return self._calls.get(connection.connection) or self._prepare(connection)

    def _prepare(self, connection: BaseDatabaseWrapper) -> str:
        number = _numbers.get(connection.connection, 0) + 1
        if number > MAX_STATEMENTS:
            return self._sql
        places = range(1, len(self.parameters) + 1)
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute(f"PREPARE nexus_{number} AS {self._sql % tuple(f'${place}' for place in places)}")
        values = f"({', '.join('%s' for _ in places)})" if places else ""
        self._calls[connection.connection] = f"EXECUTE nexus_{number}{values}"
        _numbers[connection.connection] = number
        return self._calls[connection.connection]
