"""Locks by name, and what the database refuses, told to the caller as what it means."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import IntegrityError, connection, transaction

from nexus.api.errors import Problem


def lock_name(name: str) -> None:
    """Let one transaction at a time go on from here, of all that lock the same name. It holds until the end of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


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


@contextmanager
def refusal_of_one(constraint: str, problem: Problem) -> Iterator[None]:
    """As `refusal`, for a single statement that writes: outside a transaction it is one of its own, sent at once."""
    savepoint = transaction.atomic() if connection.in_atomic_block else nullcontext()
    with meaning(constraint, problem), savepoint:
        yield
