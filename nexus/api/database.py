"""Locks by name, deletion of very many rows, and what the database refuses, told to the caller as what it means."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.db.models.deletion import get_candidate_relations_to_delete

from nexus.api.errors import Problem

# https://www.postgresql.org/docs/current/errcodes-appendix.html: a serialization failure, and a deadlock.
STOPPED = {"40001", "40P01"}
MOST_REPETITIONS = 2

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def lock_name(name: str) -> None:
    """Let one transaction at a time go on from here, of all that lock the same name. It holds until the end of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def erase(rows: "models.QuerySet[Any]") -> None:
    """Delete rows and what hangs on them, as their ``on_delete`` says, by statements alone: nothing is loaded.

    For models whose deletion no signal listens to. The database refuses what would leave something without its row.
    """
    # What much else hangs on comes last: most of that is gone by then.
    for relation in sorted(_relations(rows.model), key=lambda one: len(_relations(one.related_model))):
        hanging = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows})
        if relation.on_delete is models.CASCADE:
            erase(hanging)
        elif relation.on_delete is models.SET_NULL:
            hanging.update(**{relation.field.name: None})
    rows.order_by()._raw_delete(rows.db)


def _relations(model: "type[models.Model]") -> list[Any]:
    return list(get_candidate_relations_to_delete(model._meta))


def repeated_when_stopped(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Decorate what is one transaction: PostgreSQL may stop it in favour of another, and then it is done again.

    Of transactions that wait for each other all but one are stopped, and what became of that one decides whether the
    others can be done. Inside a larger transaction, which is lost as a whole, nothing is repeated.
    """

    @wraps(work)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        for _ in range(MOST_REPETITIONS):
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or getattr(error.__cause__, "pgcode", None) not in STOPPED:
                    raise
        return work(*args, **kwargs)

    return run


def constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that a statement would have broken; empty where PostgreSQL names none."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""


@contextmanager
def meaning(constraint: str, problem: Problem) -> Iterator[None]:
    """Raise `problem` when the statements inside break `constraint`, whoever got there first.

    A transaction around them is lost then, as after every error of the database.
    """
    try:
        yield
    except IntegrityError as error:
        if constraint_of(error) == constraint:
            raise problem from None
        raise


@contextmanager
def refusal(constraint: str, problem: Problem) -> Iterator[None]:
    """As `meaning`, with the statements in a savepoint (or a transaction of their own): what is around them goes on."""
    with meaning(constraint, problem), transaction.atomic():
        yield
