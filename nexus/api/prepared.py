"""Statements whose SQL is written once, and that PostgreSQL plans once a session.

For a few rows, to write the SQL and to plan it takes longer than to read or to write them.

A session is one server process of PostgreSQL. A pooler that gives each transaction another session (PgBouncer in
transaction mode) loses what was prepared: there Django wants ``DISABLE_SERVER_SIDE_CURSORS``, and where that is set
the SQL is sent as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.query import ValuesListIterable
from pghistory import runtime

from nexus.api.copying import json_text

# https://www.postgresql.org/docs/current/errcodes-appendix.html: the session does not know the statement, or a
# column of its rows has another type since.
LOST = {"26000", "0A000"}
# A list can be asked for in more orders and sizes than a session should keep statements.
MAX_STATEMENTS = 200
# What statements are called, each with its number in the session. Those that change what has a history bring the
# context of the change along, so pghistory need not send it before them.
NAME = "nexus_statement"
# Parameters, and what is done with them before triggers run.
CONTEXT = ("pghistory_id", "pghistory_metadata")
SET_CONTEXT = (
    "SELECT set_config('pghistory.context_id', %(pghistory_id)s, true),"
    " set_config('pghistory.context_metadata', %(pghistory_metadata)s, true)"
)

Answer = TypeVar("Answer")
# Values by place, or by name.
Values = Sequence[Any] | Mapping[str, Any]

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


class Statement:
    """SQL with parameters by place (``%s``), of which there are `parameters`, or by name (``%(sku)s``)."""

    def __init__(self, sql: str, parameters: int | Sequence[str]) -> None:
        self._sql = sql
        if isinstance(parameters, int):
            numbers = range(1, parameters + 1)
            self._places: Any = tuple(f"${number}" for number in numbers)
            self._arguments = ", ".join("%s" for _ in numbers)
        else:
            self._places = {key: f"${number}" for number, key in enumerate(parameters, start=1)}
            self._arguments = ", ".join(f"%({key})s" for key in parameters)
        # What to send, by connection of psycopg.
        self._calls: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def send(self, connection: BaseDatabaseWrapper, run: Callable[[str], Answer]) -> Answer:
        """What `run` makes of the SQL that is to be sent on a connection; again where the session has lost it."""
        try:
            return run(self._call(connection))
        except DatabaseError as error:
            if getattr(error.__cause__, "pgcode", None) not in LOST:
                raise
            self._calls.pop(connection.connection, None)
            # A transaction is lost with its first error. The next request gets another session, since this one may
            # have lost every statement, of which each would cost a transaction.
            if connection.in_atomic_block:
                connection.close_at = 0
                raise
        return run(self._call(connection))

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
        name = f"{NAME}_{number}"
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute(f"PREPARE {name} AS {self._sql % self._places}")
        self._calls[connection.connection] = f"EXECUTE {name}" + f"({self._arguments})" * bool(self._places)
        _numbers[connection.connection] = number
        return self._calls[connection.connection]


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
        self._statement = Statement(self._sql, len(self.parameters))

    def run(self, *parameters: object) -> list[Any]:
        """The rows, as the queryset gives them. Raises ValueError for another number of parameters."""
        if len(parameters) != len(self.parameters):
            raise ValueError(f"There are {len(self.parameters)} parameters, not {len(parameters)}.")
        return self._rows(parameters)

    def _rows(self, values: Values) -> list[Any]:
        connection = connections[self._compiler.using]
        read = self._read_values if self._is_of_values else self._read
        return self._statement.send(connection, lambda sql: read(connection, sql, values))

    @property
    def _is_of_values(self) -> bool:
        """Whether the rows are the columns in their order, so that nothing has to be made of them."""
        queryset: Any = self._queryset
        return (
            queryset._iterable_class is ValuesListIterable
            and queryset._fields == queryset.query.values_select
        )

    def _read_values(
        self, connection: BaseDatabaseWrapper, sql: str, values: Values
    ) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = cursor.fetchall()
        return [self._converted(row, connection) for row in rows] if self._converters else rows

    def _converted(self, row: Sequence[Any], connection: BaseDatabaseWrapper) -> tuple[Any, ...]:
        values = list(row)
        for place, (converters, expression) in self._converters.items():
            for converter in converters:
                values[place] = converter(values[place], expression, connection)
        return tuple(values)

    def _read(self, connection: BaseDatabaseWrapper, sql: str, values: Values) -> list[Any]:
        # A compiler belongs to one run on one connection; what it has worked out of the queryset is shared.
        compiler = copy(self._compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *args, **kwargs: (sql, values)
        compiler.get_converters = lambda expressions: self._converters
        rows: Any = self._queryset.all()
        rows.query.get_compiler = lambda *args, **kwargs: compiler
        return list(rows)


class Written(Prepared):
    """What a queryset without parameters reads of the rows that an INSERT or UPDATE of its model has just written.

    Both are one statement: the queryset finds the written rows where it looks for the table. `names` are those of the
    parameters of `write`. The statement also sets what triggers keep as the context of the history; they run after it.
    """

    def __init__(self, write: str, names: Sequence[str], queryset: QuerySet[Any]) -> None:
        super().__init__(queryset)
        table = connections[self._compiler.using].ops.quote_name(queryset.model._meta.db_table)
        steps = f"context AS MATERIALIZED ({SET_CONTEXT}), {table} AS ({write} RETURNING *)"
        sql = f"WITH {steps} SELECT written.* FROM context, ({self._sql}) AS written"  # noqa: S608 - no values
        self._statement = Statement(sql, [*names, *CONTEXT])

    def write(self, values: Mapping[str, Any]) -> list[Any]:
        """The written rows, as the queryset gives them. Raises IntegrityError."""
        return self._rows({**values, **context_at_work()})


def context_at_work() -> dict[str, str]:
    """The context that ``pghistory.context`` was entered with, as PostgreSQL's settings hold it; empty without one."""
    found = getattr(runtime._tracker, "value", None)
    values = ("", "") if found is None else (str(found.id), json_text(found.metadata))
    return dict(zip(CONTEXT, values, strict=True))
