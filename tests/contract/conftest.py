"""The world, clients, and what every answer is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from tests.contract.world import World, make_world

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


@pytest.fixture(scope="package")
def one_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """A world that is made once, in a transaction around those of the tests, and taken back in the end."""
    with django_db_blocker.unblock(), undone():
        yield make_world()


@pytest.fixture
def world(one_world: World, db: None) -> World:
    return one_world


@pytest.fixture
def as_administrator(client_of: ClientOf, world: World) -> APIClient:
    return client_of(world.administrator)


@pytest.fixture
def as_viewer(client_of: ClientOf, viewer: User) -> APIClient:
    return client_of(viewer)


@pytest.fixture
def as_stranger(client_of: ClientOf, stranger: User) -> APIClient:
    return client_of(stranger)


def send(client: APIClient, method: str, address: str, body: Any = None, **headers: str) -> Any:
    """The answer to a request; a body that is not bytes is sent as JSON."""
    content_type = headers.pop("Content_Type", "application/json")
    data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    names: dict[str, Any] = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    generic: Any = client.generic
    return generic(method, address, data, content_type=content_type if data else "", **names)


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside, so that the world is the same for the next operation."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fault_of(answer: Any, *statuses: int, code: str = "") -> str:
    """What is wrong with an answer that must be a problem with one of some statuses; empty when nothing is."""
    if answer.status_code not in statuses:
        return f"{answer.status_code} instead of {statuses}: {answer.content[:200]!r}"
    if answer.headers["Content-Type"] != "application/problem+json":
        return f"Content-Type {answer.headers['Content-Type']}"
    if not answer.content:
        return ""
    body = orjson.loads(answer.content)
    if not set(body) >= MEMBERS:
        return f"without {MEMBERS - set(body)}"
    if body["request_id"] != answer.headers["X-Request-ID"] or body["status"] != answer.status_code:
        return "request_id or status differ from the headers"
    for error in body.get("errors", []):
        if set(error) != {"pointer", "code", "detail"}:
            return f"errors with {set(error)}"
    return f"code {body['code']} instead of {code}" if code and body["code"] != code else ""


def expect_nothing(faults: dict[str, str]) -> None:
    """Fail with every fault that was found, by the operation it was found in."""
    found = [f"{operation}: {fault}" for operation, fault in faults.items() if fault]
    assert not found, "\n".join(found)


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    """The OpenAPI schema as `manage.py spectacular` writes it."""
    from drf_spectacular.generators import SchemaGenerator

    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document
