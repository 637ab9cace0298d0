"""`http.post`: what it sends, and where it does not go."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from workflows.steps import http_post
from workflows.steps.base import Done, StepFailedError, Task
from workflows.steps.http_post import HttpPost, is_public


class Server(ThreadingHTTPServer):
    """Keeps what it was sent, and answers as it is told."""

    daemon_threads = True
    answer: tuple[int, bytes] = (200, b"{}")
    received: list[tuple[str, dict[str, str], bytes]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of this machine, which counts as public for once."""
    monkeypatch.setattr(http_post, "is_public", lambda address: True)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.received = []
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


def post(server: Server, path: str = "/hook?a=1", **inputs: Any) -> Any:
    inputs = {"url": f"http://127.0.0.1:{server.server_address[1]}{path}"} | inputs
    done = HttpPost().run(inputs, Task(key="execution:tell"))
    assert isinstance(done, Done)
    return done.output


def refusal(url: str) -> StepFailedError:
    with pytest.raises(StepFailedError) as caught:
        HttpPost().run({"url": url}, Task(key="k"))
    return caught.value


def test_it_posts_json_and_gives_the_answer(server: Server) -> None:
    server.answer = 201, b'{"id": 7}'
    assert post(server, json={"done": 3}) == {"status": 201, "body": {"id": 7}}
    path, headers, body = server.received[0]
    assert (path, json.loads(body)) == ("/hook?a=1", {"done": 3})
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == "execution:tell"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"thank you", "thank you"),
        (b"", ""),
        (b"[1, NaN]", "[1, NaN]"),
        (b'"a\\u0000b"', '"a\\u0000b"'),
        (b"\xff\x00", "\ufffd\ufffd"),
        (b"[" * 5000, "[" * 5000),
    ],
)
def test_what_cannot_be_kept_as_json_is_kept_as_text(server: Server, answer: bytes, body: str) -> None:
    server.answer = 200, answer
    assert post(server)["body"] == body


def test_a_long_answer_is_cut(server: Server) -> None:
    server.answer = 200, b"x" * 1_000_000
    assert len(post(server)["body"]) == http_post.MAX_ANSWER_BYTES


@pytest.mark.parametrize(("status", "final"), [(302, True), (404, True), (429, False), (500, False)])
def test_other_answers_are_failures_and_redirects_are_not_followed(
    server: Server, status: int, final: bool
) -> None:
    server.answer = status, b""
    with pytest.raises(StepFailedError, match=str(status)) as caught:
        post(server)
    assert caught.value.final is final
    assert len(server.received) == 1


def test_an_answer_that_drips_for_ever_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_post, "is_public", lambda address: True)
    monkeypatch.setattr(http_post, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        error = refusal(f"http://127.0.0.1:{server.getsockname()[1]}/")
    assert "gave no answer" in str(error)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "fc00::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/", "http://localhost/", "http://2130706433/", "http://[::1]:6379/", "http://0/"],
)
def test_nexus_itself_cannot_be_reached(url: str) -> None:
    error = refusal(url)
    assert error.final
    assert "public internet" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@example.com/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: 1",
        "example.com",
    ],
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    assert refusal(url).final
