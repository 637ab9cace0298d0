"""Entity tags of every single resource, and keys of every POST."""

from typing import Any

from rest_framework.test import APIClient

from tests.contract.conftest import expect_nothing, fault_of, send, undone
from tests.contract.routes import Operation, operations
from tests.contract.test_bad_input import body_of
from tests.contract.world import BODIES, World

# A session is never read on its own, so it has no tag that could be stale.
WITHOUT_TAG = {"DELETE /auth/sessions/{pk}"}
# The one answer of a logout is to end the token that would ask for it again; signing in has no user yet.
WITHOUT_REPLAY = {"POST /auth/logout", "POST /auth/login", "POST /auth/refresh"}
SINGLE = ("}", "/auth/me")


def resources() -> list[Operation]:
    return [o for o in operations() if o.method == "GET" and o.path.endswith(SINGLE)]


def changes() -> list[Operation]:
    return [o for o in operations() if o.method in {"PUT", "PATCH", "DELETE"} and str(o) not in WITHOUT_TAG]


def posts() -> list[Operation]:
    return [o for o in operations() if o.method == "POST" and str(o) not in WITHOUT_REPLAY]


def test_a_resource_has_a_strong_tag_and_is_not_sent_twice(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in resources():
        address = world.address(operation.path)
        tag = send(as_administrator, "GET", address).headers.get("ETag", "")
        known = [
            send(as_administrator, "GET", address, If_None_Match=wanted).status_code
            for wanted in (tag, f"W/{tag}", f'"other", {tag}', "*", '"other"')
        ]
        strong = tag.startswith('"') and tag.endswith('"') and len(tag) > 10
        faults[str(operation)] = "" if strong and known == [304, 304, 304, 304, 200] else f"{tag} {known}"
    expect_nothing(faults)


def test_what_has_changed_since_is_not_written_over(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in changes():
        address = world.address(operation.path)
        tag = send(as_administrator, "GET", address).headers["ETag"]
        body = body_of(operation, world) if str(operation) in BODIES else None
        stale = send(as_administrator, operation.method, address, body, If_Match='"stale"')
        weak = send(as_administrator, operation.method, address, body, If_Match=f"W/{tag}")
        fault = fault_of(stale, 412, code="precondition_failed") or fault_of(weak, 412)
        told = stale.headers.get("ETag") == tag == send(as_administrator, "GET", address).headers["ETag"]
        faults[str(operation)] = fault or ("" if told else "does not tell the tag, or was changed")
    expect_nothing(faults)


def test_what_is_as_it_was_read_is_changed(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in changes():
        if operation.method == "DELETE":
            continue
        address = world.address(operation.path)
        with undone():
            tag = send(as_administrator, "GET", address).headers["ETag"]
            answer = send(
                as_administrator, operation.method, address, body_of(operation, world), If_Match=tag
            )
            following = send(as_administrator, "GET", address).headers["ETag"]
        # A profile is told to every process when its change is committed, and this one is undone.
        is_told = operation.path != "/auth/me"
        good = answer.status_code == 200 and (answer.headers["ETag"] == following or not is_told)
        faults[str(operation)] = "" if good else f"{answer.status_code} {answer.content[:200]!r}"
    expect_nothing(faults)


def unchanged(answer: Any) -> dict[str, Any]:
    """What of a resource must be the same after it was written as it was read."""
    return {name: value for name, value in answer.json().items() if name != "updated_at"}


def test_what_was_read_may_be_sent_back_as_it_is(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in operations():
        if operation.method != "PUT":
            continue
        address = world.address(operation.path)
        read = send(as_administrator, "GET", address)
        written = send(as_administrator, "PUT", address, read.json(), If_Match=read.headers["ETag"])
        same = written.status_code == 200 and unchanged(written) == unchanged(read)
        faults[str(operation)] = "" if same else f"{written.status_code} {written.content[:300]!r}"
    expect_nothing(faults)


def answer_to(client: APIClient, operation: Operation, world: World, key: str, **more: Any) -> Any:
    body = body_of(operation, world) if BODIES[str(operation)] else None
    return send(client, "POST", world.address(operation.path), more.get("body", body), Idempotency_Key=key)


def test_a_post_that_is_sent_twice_is_done_once(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in posts():
        with undone():
            first, second = (answer_to(as_administrator, operation, world, "twice") for _ in range(2))
        kept = [
            (a.status_code, a.content, a.headers.get("Location"), a.headers.get("ETag"))
            for a in (first, second)
        ]
        replayed = [answer.headers.get("Idempotent-Replayed") for answer in (first, second)]
        good = 200 <= first.status_code < 300 and kept[0] == kept[1] and replayed == [None, "true"]
        faults[str(operation)] = "" if good else f"{kept} {replayed}"
    expect_nothing(faults)


def test_a_key_that_was_used_with_another_body_is_a_409(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in posts():
        other = {**body_of(operation, world), "name": "Another"} if BODIES[str(operation)] else {}
        with undone():
            first = answer_to(as_administrator, operation, world, "other")
            second = answer_to(as_administrator, operation, world, "other", body=other)
        fault = fault_of(second, 409, code="idempotency_key_reused")
        faults[str(operation)] = f"{first.status_code}, then {fault}" if fault else ""
    expect_nothing(faults)


def test_what_is_made_says_where_it_is(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in posts():
        if operation.action != "create" or operation.path == "/api/v1/classify":
            continue
        with undone():
            answer = send(as_administrator, "POST", world.address(operation.path), body_of(operation, world))
            there = send(as_administrator, "GET", answer.headers.get("Location", "/nowhere"))
        good = answer.status_code in {201, 202} and there.content == answer.content
        faults[str(operation)] = "" if good else f"{answer.status_code} {there.content[:200]!r}"
    expect_nothing(faults)
