"""What only a real server shows: requests that are no HTTP, bodies that are too long, and many clients at once."""

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live import Live

MIB = 1024 * 1024
CREDENTIALS = {"email": "viewer@example.com", "password": "nexus-demo"}


def call(live: Live, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    """Status, headers and document of an answer; a body that is not bytes is sent as JSON."""
    address = urlsplit(live.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    try:
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    return answer.status, answer.headers, json.loads(text) if text else None


def sent_raw(live: Live, request: bytes) -> tuple[str, dict[str, Any]]:
    """The head and the document of the answer to bytes that may be no HTTP."""
    address = urlsplit(live.url)
    with socket.create_connection((str(address.hostname), address.port), timeout=30) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    return head.decode(), json.loads(body)


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n", 400, "bad_request"),
        (b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * 9000), 414, "uri_too_long"),
        (
            b"GET / HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n" % (b"x" * 100_000),
            431,
            "request_header_fields_too_large",
        ),
    ],
)
def test_what_is_no_http_is_a_problem_too(live: Live, request_: bytes, status: int, code: str) -> None:
    head, problem = sent_raw(live, request_)
    assert "Content-Type: application/problem+json" in head
    assert (problem["status"], problem["code"]) == (status, code)
    assert f"X-Request-ID: {problem['request_id']}" in head
    assert "gunicorn" not in json.dumps(problem).lower()


def test_a_body_that_is_too_long_is_a_413_that_the_client_gets_to_see(live: Live) -> None:
    status, headers, problem = call(live, "POST", "/auth/login", b"x" * (10 * MIB + 1))
    assert (status, problem["code"]) == (413, "body_too_large")
    assert headers["Content-Type"] == "application/problem+json"


def test_a_body_of_unknown_length_is_a_411(live: Live) -> None:
    address = urlsplit(live.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.request("POST", "/auth/login", iter([b"{", b"}"]), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 411
    connection.close()


def test_a_host_that_is_not_ours_is_refused_before_anything_is_written(live: Live) -> None:
    token = call(live, "POST", "/auth/login", CREDENTIALS | {"email": "editor@example.com"})[2][
        "access_token"
    ]
    product = {"sku": "EVIL-1", "name": "Evil"}
    signed_in = {"Authorization": f"Bearer {token}"}
    assert call(live, "POST", "/api/v1/products", product, Host="evil.example", **signed_in)[0] == 400
    found = call(live, "GET", "/api/v1/products?sku=EVIL-1", **signed_in)[2]
    assert found["count"] == 0


def test_many_tabs_that_refresh_at_once_get_one_pair(live: Live) -> None:
    pair = call(live, "POST", "/auth/login", CREDENTIALS)[2]
    refresh = {"refresh_token": pair["refresh_token"]}
    with ThreadPoolExecutor(16) as tabs:
        answers = list(tabs.map(lambda _: call(live, "POST", "/auth/refresh", refresh), range(16)))
    assert {status for status, _, _ in answers} == {200}
    assert len({document["refresh_token"] for _, _, document in answers}) == 1
    assert call(live, "GET", "/auth/me", Authorization=f"Bearer {answers[0][2]['access_token']}")[0] == 200


def test_one_sku_is_given_once_however_many_ask_for_it(live: Live) -> None:
    token = call(live, "POST", "/auth/login", CREDENTIALS | {"email": "editor@example.com"})[2][
        "access_token"
    ]

    def create(number: int) -> int:
        product = {"sku": "RACE-1", "name": f"Racer {number}"}
        return call(live, "POST", "/api/v1/products", product, Authorization=f"Bearer {token}")[0]

    with ThreadPoolExecutor(8) as clients:
        assert sorted(clients.map(create, range(8))) == [201, *[409] * 7]


def test_one_key_does_its_work_once_however_many_bring_it(live: Live) -> None:
    token = call(live, "POST", "/auth/login", CREDENTIALS | {"email": "editor@example.com"})[2][
        "access_token"
    ]

    def create(_: int) -> tuple[int, str | None, int]:
        status, headers, document = call(
            live,
            "POST",
            "/api/v1/products",
            {"sku": "KEY-1", "name": "Once"},
            Authorization=f"Bearer {token}",
            Idempotency_Key="once",
        )
        return status, headers["Idempotent-Replayed"], document["id"]

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(create, range(8)))
    assert {status for status, _, _ in answers} == {201}
    assert len({product for _, _, product in answers}) == 1
    assert sorted(replayed or "" for _, replayed, _ in answers) == ["", *["true"] * 7]
