"""Every list has the same envelope, the same pages and the same manners."""

import base64
from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from tests.contract.conftest import expect_nothing, fault_of, send
from tests.contract.routes import Operation, operations
from tests.contract.world import World

# The kinds of steps and of jobs are a handful, and always there as a whole.
WHOLE = {"/api/v1/workflows/step-kinds", "/api/v1/jobs/kinds"}


def lists() -> list[Operation]:
    return [operation for operation in operations() if operation.is_list]


def paged() -> list[Operation]:
    return [operation for operation in lists() if operation.path not in WHOLE]


def test_every_address_that_answers_with_results_is_a_list(world: World, as_administrator: APIClient) -> None:
    found = set()
    for operation in operations():
        if operation.method == "GET":
            answer = send(as_administrator, "GET", world.address(operation.path))
            if answer.headers["Content-Type"] == "application/json" and "next" in orjson.loads(
                answer.content
            ):
                found.add(operation)
    assert found == set(lists())


def test_a_list_has_its_envelope(world: World, as_administrator: APIClient) -> None:
    for operation in lists():
        body = send(as_administrator, "GET", world.address(operation.path)).json()
        assert list(body) == ["count", "next", "previous", "results"], operation
        assert (len(body["results"]), body["next"], body["previous"]) == (body["count"], None, None), (
            operation
        )


def test_a_list_is_walked_page_by_page_and_back_again(world: World, as_administrator: APIClient) -> None:
    for operation in paged():
        address = world.address(operation.path)
        whole = send(as_administrator, "GET", address).json()
        assert whole["count"] > 1, f"{operation} needs more than one row to be tried"
        there, page = [], send(as_administrator, "GET", f"{address}?page_size=1").json()
        there.append(page)
        while page["next"]:
            assert page["next"].startswith(f"http://testserver{address}?"), operation
            page = send(as_administrator, "GET", page["next"]).json()
            there.append(page)
        assert [row for page in there for row in page["results"]] == whole["results"], operation
        assert {page["count"] for page in there} == {whole["count"]}, operation
        back = [page]
        while page["previous"]:
            page = send(as_administrator, "GET", page["previous"]).json()
            back.append(page)
        assert [page["results"] for page in reversed(back)] == [page["results"] for page in there], operation


def test_an_unknown_parameter_is_a_400_that_names_it(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in lists():
        answer = send(as_administrator, "GET", f"{world.address(operation.path)}?no_such_parameter=1")
        fault = fault_of(answer, 400)
        pointers = [] if fault else [error["pointer"] for error in answer.json()["errors"]]
        faults[str(operation)] = fault or ("" if pointers == ["/query/no_such_parameter"] else str(pointers))
    expect_nothing(faults)


@pytest.mark.parametrize("page_size", ["0", "501", "-1", "1.0", "all", "", "%2B5"])
def test_a_page_has_1_to_500_rows(world: World, as_administrator: APIClient, page_size: str) -> None:
    expect_nothing(
        {
            str(operation): fault_of(
                send(as_administrator, "GET", f"{world.address(operation.path)}?page_size={page_size}"), 400
            )
            for operation in paged()
        }
    )


def cursors() -> list[str]:
    """Cursors that no server has made."""
    documents = (
        b"",
        b"null",
        b"[]",
        b'["id",[1],false]',
        b'["-id",["a"],false]',
        b'["password",[1],false]',
        b'["id",[null],false]',
        b'["id",[1],1]',
        b'["id",[[1]],false]',
        b'["id",[{"a":1}],true]',
        b'[["id"],[1],false]',
        b'["id",[99999999999999999999999999],false]',
    )
    return [
        "x",
        "%00",
        "a" * 5000,
        *(base64.urlsafe_b64encode(document).decode().rstrip("=") for document in documents),
    ]


def test_a_cursor_that_was_not_given_is_a_400_and_never_more(
    world: World, as_administrator: APIClient
) -> None:
    faults = {}
    for operation in paged():
        for cursor in cursors():
            answer = send(as_administrator, "GET", f"{world.address(operation.path)}?cursor={cursor}")
            good = answer.status_code == 200
            faults[f"{operation} {cursor}"] = "" if good else fault_of(answer, 400)
    expect_nothing(faults)


def test_the_values_of_a_cursor_may_be_anything(world: World, as_administrator: APIClient) -> None:
    values: tuple[Any, ...] = (
        None,
        True,
        [],
        {},
        "",
        "x",
        "a\0b",
        "2026-01-01",
        1.5,
        1e300,
        2**63,
        -(2**63),
        "9" * 30,
        "x" * 2000,
    )
    faults = {}
    for operation in paged():
        address = world.address(operation.path)
        given = send(as_administrator, "GET", f"{address}?page_size=1").json()["next"].partition("cursor=")[2]
        ordering, own, _ = orjson.loads(base64.urlsafe_b64decode(given.partition("&")[0] + "==="))
        for place in range(len(own)):
            for value in values:
                document = [ordering, [*own[:place], value, *own[place + 1 :]], False]
                cursor = base64.urlsafe_b64encode(orjson.dumps(document)).decode().rstrip("=")
                answer = send(as_administrator, "GET", f"{address}?cursor={cursor}")
                good = answer.status_code == 200
                faults[f"{operation} {ordering} {place} {value!r:.30}"] = (
                    "" if good else fault_of(answer, 400)
                )
    expect_nothing(faults)


def test_every_list_can_be_ordered_by_what_its_schema_names(
    world: World, as_administrator: APIClient, schema: dict[str, Any]
) -> None:
    faults = {}
    for operation in paged():
        address = world.address(operation.path)
        described = schema["paths"][operation.path.replace("{pk}", "{id}")]["get"]["parameters"]
        for text in [p["description"] for p in described if p["name"] == "ordering"]:
            names = text.removeprefix("A comma list of ").partition(";")[0].split(", ")
            for name in [*names, *(f"-{name}" for name in names), ",".join(names)]:
                answer = send(as_administrator, "GET", f"{address}?ordering={name}&page_size=1")
                following = answer.status_code == 200 and send(as_administrator, "GET", answer.json()["next"])
                good = following and following.status_code == 200
                faults[f"{operation} {name}"] = "" if good else fault_of(following or answer, 200)
    expect_nothing(faults)
