"""The worker that gunicorn runs, seen from a client: on a small application, without the rest of Nexus."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from nexus.devservices.processes import start, stop
from nexus.devservices.servers import HOST, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere gunicorn's own worker serves")

THREADS = 2
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BROKEN_REQUEST = REQUEST.replace(b"/ ", b"/broken ", 1)
SLOW_REQUEST = REQUEST.replace(b"/ ", b"/slow ", 1)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says which process answers, or what was asked; after a moment where that is slow, or not to the end."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    if environ["PATH_INFO"] == "/broken":
        start_response("200 OK", [("Content-Length", "2")])
        return _broken_off()
    body = (environ["QUERY_STRING"] or str(os.getpid())).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _broken_off() -> Iterator[bytes]:
    yield b"1"
    raise RuntimeError("What is read from has gone.")


class Client:
    """A connection that stays open."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=10)
        self._stream = self.socket.makefile("rb")

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def head(self) -> bytes:
        """The head of the next answer; empty when the server has closed the connection."""
        head = b""
        while line := self._stream.readline().strip():
            head += line + b"\n"
        return head

    def answer(self) -> tuple[bytes, bytes]:
        """Head and body of the next answer; both empty when the server has closed the connection."""
        head = self.head()
        length = head.partition(b"Content-Length: ")[2].split(b"\n")[0]
        return head, self._stream.read(int(length or 0))

    def ask(self, request: bytes = REQUEST) -> bytes:
        """The body of the answer to a request."""
        self.send(request)
        return self.answer()[1]


class Server:
    """Two workers with two threads each."""

    def __init__(self, stack: ExitStack, keep_alive: int = 60) -> None:
        self.port = free_port()
        self._stack = stack
        options = ["-k", "nexus.worker.Worker", "--reuse-port", "--bind", f"{HOST}:{self.port}"]
        options += ["--workers", "2", "--threads", str(THREADS), "--keep-alive", str(keep_alive)]
        self.process = start(
            [sys.executable, "-m", "gunicorn", *options, "tests.test_worker:application"],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(stop, self.process)
        while len({self.client().ask() for _ in range(8)}) < 2:
            time.sleep(0.05)

    def client(self) -> Client:
        """A new connection, as soon as the server listens."""
        while True:
            try:
                client = Client(self.port)
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                self._stack.callback(client.socket.close)
                return client


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with ExitStack() as stack:
        yield Server(stack)


def test_connections_are_spread_over_the_workers(server: Server) -> None:
    # That all of 40 go to one of two workers by chance would happen once in 5 * 10^11 times.
    assert len({server.client().ask() for _ in range(40)}) == 2


def test_a_connection_is_kept_for_further_requests_to_the_same_worker(server: Server) -> None:
    client = server.client()
    assert len({client.ask() for _ in range(20)}) == 1


def test_an_answer_comes_in_one_piece(server: Server) -> None:
    client = server.client()
    client.send(REQUEST)
    head, _, body = client.socket.recv(65_536).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body.isdigit()


def test_answers_that_break_off_cost_their_connections_alone(server: Server) -> None:
    for _ in range(8 * THREADS):
        client = server.client()
        client.send(BROKEN_REQUEST)
        assert client.answer()[1] == b"1"

    assert len({server.client().ask() for _ in range(40)}) == 2


def test_an_answer_to_head_has_no_body(server: Server) -> None:
    client = server.client()
    client.send(REQUEST.replace(b"GET", b"HEAD") + REQUEST)
    assert b"Content-Length: " in client.head()
    assert client.answer()[1].isdigit()


def test_requests_that_come_at_once_are_answered_one_after_the_other(server: Server) -> None:
    client = server.client()
    client.send(REQUEST * 3)
    assert len({client.answer()[1] for _ in range(3)}) == 1


def test_silent_connections_take_no_thread(server: Server) -> None:
    silent = [server.client() for _ in range(8 * THREADS)]
    assert {server.client().ask() for _ in range(20)} == {client.ask() for client in silent}


def test_more_clients_than_threads_are_all_answered(server: Server) -> None:
    def ask(client: Client) -> list[bytes]:
        return [client.ask() for _ in range(50)]

    clients = [server.client() for _ in range(32)]
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(ask, clients))
    assert all(len(answer) == 50 and len(set(answer)) == 1 for answer in answers)


def test_each_of_many_requests_gets_its_own_answer_though_connections_come_and_go(server: Server) -> None:
    def ask(name: int) -> list[tuple[bytes, bytes]]:
        pairs = []
        # The server gives a new connection the descriptor of one that was closed.
        for connection in range(6):
            client = server.client()
            for number in range(10):
                asked = f"{name}-{connection}-{number}".encode()
                pairs.append((asked, client.ask(REQUEST.replace(b"/ ", b"/?" + asked + b" ", 1))))
            client.socket.close()
        return pairs

    with ThreadPoolExecutor(24) as pool:
        pairs = [pair for found in pool.map(ask, range(24)) for pair in found]
    assert len(pairs) == 24 * 6 * 10
    assert [asked for asked, answer in pairs if asked != answer] == []


def test_a_connection_that_waits_for_too_long_is_closed() -> None:
    with ExitStack() as stack:
        client = Server(stack, keep_alive=1).client()
        assert client.ask()
        assert client.answer() == (b"", b"")


def test_a_server_that_stops_answers_what_it_has_begun_and_closes_the_rest() -> None:
    with ExitStack() as stack:
        server = Server(stack)
        at_work, at_rest = server.client(), server.client()
        assert at_rest.ask()
        at_work.send(SLOW_REQUEST)
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        head, body = at_work.answer()
        assert body
        assert b"Connection: close" in head or at_work.answer() == (b"", b"")
        assert at_rest.answer() == (b"", b"")
        assert server.process.wait(timeout=10) == 0
