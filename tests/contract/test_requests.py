"""What a request may look like, whatever it asks for: methods, media types, paths, ids of requests."""

import re

import pytest
from rest_framework.test import APIClient

from tests.contract.conftest import expect_nothing, fault_of, send
from tests.contract.routes import PAGES, WITH_BODY, methods_of, operations, paths
from tests.contract.world import World


def test_a_method_that_an_address_does_not_know_is_a_405_that_says_which_it_knows(
    world: World, as_administrator: APIClient
) -> None:
    faults = {}
    for path in paths():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            if method in methods_of(path):
                continue
            answer = send(as_administrator, method, world.address(path))
            allowed = set(answer.headers.get("Allow", "").replace(" ", "").split(",")) - {"HEAD", "OPTIONS"}
            fault = fault_of(answer, 405, code="method_not_allowed")
            faults[f"{method} {path}"] = fault or ("" if allowed == methods_of(path) else f"Allow {allowed}")
    expect_nothing(faults)


def test_head_answers_what_get_does_without_the_body(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for path in paths():
        if "GET" not in methods_of(path):
            continue
        address = world.address(path)
        get, head = (send(as_administrator, method, address) for method in ("GET", "HEAD"))
        ours = [[a.status_code, a.headers.get("ETag"), a.headers["Content-Type"]] for a in (get, head)]
        faults[path] = "" if ours[0] == ours[1] else str(ours)
    expect_nothing(faults)


def test_options_says_what_an_address_can_do(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for path in paths():
        answer = send(as_administrator, "OPTIONS", world.address(path))
        allowed = set(answer.headers.get("Allow", "").replace(" ", "").split(","))
        good = answer.status_code in {200, 405} and methods_of(path) <= allowed
        faults[path] = "" if good else f"{answer.status_code} {allowed}"
    expect_nothing(faults)


def test_who_wants_html_of_the_api_gets_a_406(world: World, as_administrator: APIClient) -> None:
    expect_nothing(
        {
            str(operation): fault_of(
                send(as_administrator, operation.method, world.address(operation.path), Accept="text/html"),
                406,
            )
            for operation in operations()
            if operation.path not in PAGES and not operation.path.startswith("/health")
        }
    )


def test_a_body_that_is_not_json_is_a_415(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in operations():
        if operation.method not in WITH_BODY:
            continue
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
            answer = send(
                as_administrator,
                operation.method,
                world.address(operation.path),
                b"name=value",
                Content_Type=content_type,
            )
            faults[f"{operation} {content_type}"] = fault_of(answer, 415)
    expect_nothing(faults)


def test_a_trailing_slash_is_served_without_a_redirect(world: World, as_administrator: APIClient) -> None:
    faults = {}
    for operation in operations():
        if operation.method != "GET":
            continue
        address = world.address(operation.path)
        with_slash, without = (send(as_administrator, "GET", path) for path in (f"{address}/", address))
        same = with_slash.status_code == without.status_code
        faults[str(operation)] = "" if same else str(with_slash.status_code)
    expect_nothing(faults)


def test_a_trailing_slash_loses_no_body(world: World, as_administrator: APIClient) -> None:
    answer = send(as_administrator, "POST", "/api/v1/products/", {"sku": "S-1", "name": "Slashed"})
    assert (answer.status_code, answer.json()["name"]) == (201, "Slashed")
    assert answer.headers["Location"].endswith(f"/api/v1/products/{answer.json()['id']}")


@pytest.mark.parametrize("request_id", ["0123abcd", "a.B-c_9" * 9])
def test_a_sane_request_id_is_echoed(db: None, request_id: str) -> None:
    answer = send(APIClient(), "GET", "/api/v1/products", X_Request_ID=request_id)
    assert answer.headers["X-Request-ID"] == request_id
    assert answer.json()["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id", ["", "short", "x" * 65, "with space", "semi;colon", "line\\nbreak", "ümläute"]
)
def test_an_insane_request_id_is_replaced(db: None, request_id: str) -> None:
    answer = send(APIClient(), "GET", "/api/v1/products", X_Request_ID=request_id)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_every_answer_has_a_request_id_and_the_headers_of_security(
    world: World, as_administrator: APIClient
) -> None:
    faults = {}
    for operation in operations():
        answer = send(as_administrator, operation.method, world.address(operation.path))
        lacking = {
            "X-Request-ID",
            "X-Content-Type-Options",
            "X-Frame-Options",
            "Content-Security-Policy",
        } - set(answer.headers)
        faults[str(operation)] = str(lacking) if lacking else ""
    expect_nothing(faults)


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1", "/api/v1/nothing", "/api/v2/products", "/auth", "//", "/%00"]
)
def test_an_address_that_is_none_is_a_404(db: None, path: str) -> None:
    expect_nothing({path: fault_of(send(APIClient(), "GET", path), 404, code="not_found")})


def test_an_answer_without_a_body_names_no_type_of_it(world: World, as_administrator: APIClient) -> None:
    address = f"/api/v1/products/{world.product.pk}"
    tag = send(as_administrator, "GET", address).headers["ETag"]
    for answer in (
        send(as_administrator, "GET", address, If_None_Match=tag),
        send(as_administrator, "DELETE", address),
    ):
        assert (answer.content, answer.headers.get("Content-Type")) == (b"", None)
