"""Bad input of every kind is told what is wrong with it, and never a fault of the server."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest
from django.conf import settings
from rest_framework.test import APIClient

from tests.contract.conftest import expect_nothing, fault_of, send, undone
from tests.contract.routes import WITH_BODY, Operation, operations
from tests.contract.world import BODIES, World

DEEP = b'{"name":' * 2000 + b"1" + b"}" * 2000
NASTY_IDS = (
    "0",
    "-1",
    "9" * 18,
    str(2**63),
    "9" * 40,
    "abc",
    "1e3",
    "%00",
    "%FF",
    "%C3%28",
    "%EF%BC%91",
    "1.0",
    "%20",
    "'",
)
NASTY_TEXTS = (
    "",
    "%00",
    "%FF",
    "%C3%28",
    "%ED%A0%80",
    "9" * 40,
    "-1",
    "0",
    "NaN",
    "x" * 3000,
    "[]",
    "%F0%9F%94%A8",
    "%25",
    "'",
)
NASTY_VALUES: tuple[Any, ...] = (None, True, -1, 1.5, 2**63, 1e308, "", "x" * 30_000, [], {"a": {}})


def with_body() -> list[Operation]:
    return [operation for operation in operations() if operation.method in WITH_BODY]


def body_of(operation: Operation, world: World) -> Any:
    body = BODIES[str(operation)]
    return deepcopy(body(world)) if body else {}


def test_every_operation_with_a_body_has_a_good_one_to_try() -> None:
    assert set(BODIES) == {str(operation) for operation in with_body()}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"{'name': 1}", 400, "malformed_json"),
        (b'{"name": NaN}', 400, "malformed_json"),
        (b'{"name": "\xff\xfe"}', 400, "malformed_json"),
        (b'{"name": "\\ud800"}', 400, "malformed_json"),
        (b'{"name": "a\\u0000b"}', 400, "invalid"),
        (b'{"a\\u0000b": 1}', 400, "invalid"),
        (b'{"name": "a\x00b"}', 400, "malformed_json"),
        (DEEP, 400, ""),
        (b"[" * 2000 + b"]" * 2000, 400, ""),
        (b"[" * 900 + b"]" * 900, 400, ""),
        (b"[]", 400, "invalid"),
        (b'"text"', 400, "invalid"),
        (b"1", 400, "invalid"),
        (b"null", 400, "invalid"),
        (b"\xef\xbb\xbf{}", 400, ""),
    ],
)
def test_a_body_that_cannot_be_understood_is_a_400(
    world: World, as_administrator: APIClient, body: bytes, status: int, code: str
) -> None:
    expect_nothing(
        {
            str(operation): fault_of(
                send(as_administrator, operation.method, world.address(operation.path), body),
                status,
                code=code,
            )
            for operation in with_body()
        }
    )


def test_null_is_refused_in_the_same_words_everywhere(world: World, as_administrator: APIClient) -> None:
    refusal = [{"pointer": "", "code": "null", "detail": "This may not be null."}]
    for operation in with_body():
        answer = send(as_administrator, operation.method, world.address(operation.path), b"null")
        assert answer.json()["errors"] == refusal, operation


def test_an_unknown_field_is_a_400_that_names_it(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in with_body():
        body = body_of(operation, world) | {"no_such_field": 1}
        answer = send(as_administrator, operation.method, world.address(operation.path), body)
        fault = fault_of(answer, 400)
        named = fault or [error["pointer"] for error in answer.json()["errors"]]
        faults[str(operation)] = fault or ("" if "/no_such_field" in named else f"names {named}")
    expect_nothing(faults)


def test_a_body_over_the_limit_is_a_413(as_administrator: APIClient) -> None:
    too_large = b'"' + b"x" * settings.MAX_BODY_BYTES + b'"'
    for path in ("/api/v1/products", "/auth/login", "/health", "/nothing"):
        expect_nothing(
            {path: fault_of(send(as_administrator, "POST", path, too_large), 413, code="body_too_large")}
        )


def test_an_id_that_is_none_is_a_404(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in operations():
        if "{" not in operation.path:
            continue
        body = body_of(operation, world) if operation.method in WITH_BODY else None
        for nasty in NASTY_IDS:
            path = (
                operation.path.replace("{pk}", nasty).replace("{workflow_id}", nasty).replace("{step}", nasty)
            )
            query = "?with=1" if path.endswith("/compare") else ""
            faults[f"{operation} {nasty}"] = fault_of(
                send(as_administrator, operation.method, path + query, body), 404
            )
    expect_nothing(faults)


def test_a_step_that_is_none_is_a_404(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in operations():
        for nasty in NASTY_IDS:
            if "{step}" in operation.path:
                path = world.address(operation.path.replace("{step}", nasty))
                faults[path] = fault_of(send(as_administrator, operation.method, path), 404)
    expect_nothing(faults)


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of a document are."""
    if place:
        yield place
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in below:
        yield from places(inner, (*place, name))


def replaced(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of a document with another value at a place."""
    copy = inner = deepcopy(document)
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return copy


@pytest.mark.parametrize("number", range(4))
def test_no_value_anywhere_in_a_body_is_too_much_for_the_server(
    world: World, as_administrator: APIClient, number: int
) -> None:
    faults = {}
    for operation in with_body()[number::4]:
        if operation.path in {"/auth/logout", "/auth/password", "/auth/login"}:
            continue
        body, address = body_of(operation, world), world.address(operation.path)
        for place in places(body):
            for nasty in NASTY_VALUES:
                document = orjson.dumps(replaced(body, place, nasty))
                with undone():
                    answer = send(as_administrator, operation.method, address, document)
                good = 200 <= answer.status_code < 300
                faults[f"{operation} {place} {nasty!r:.40}"] = (
                    "" if good else fault_of(answer, 400, 401, 404, 409)
                )
    expect_nothing(faults)


def parameters_of(operation: Operation, schema: dict[str, Any]) -> list[str]:
    """The names of the query parameters of an operation."""
    path = operation.path.replace("{pk}", "{id}")
    described = schema["paths"][path]["get"].get("parameters", [])
    return [parameter["name"] for parameter in described if parameter["in"] == "query"]


def test_no_value_of_a_query_is_too_much_for_the_server(
    world: World, as_administrator: APIClient, schema: dict[str, Any]
) -> None:
    faults = {}
    for operation in operations():
        if operation.method != "GET" or not operation.path.startswith("/api/"):
            continue
        address = world.address(operation.path)
        for name in parameters_of(operation, schema):
            for nasty in NASTY_TEXTS:
                answer = send(as_administrator, "GET", f"{address}?{name}={nasty}")
                good = answer.status_code == 200
                faults[f"{operation} {name}={nasty:.20}"] = "" if good else fault_of(answer, 400, 404)
    expect_nothing(faults)


def test_what_is_no_text_is_refused_in_every_query(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in operations():
        if not operation.is_list:
            continue
        for query in (
            "search=%00",
            "%00=1",
            "%FF=1",
            "no_such_parameter=%FF",
            "page_size=%00",
            "cursor=%00",
            "ordering=%00",
        ):
            answer = send(as_administrator, "GET", f"{world.address(operation.path)}?{query}")
            faults[f"{operation}?{query}"] = fault_of(answer, 400)
    expect_nothing(faults)
