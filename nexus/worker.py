"""The gunicorn worker of Nexus: threads that each wait for whichever connection is readable next.

gunicorn's own threaded worker polls on one thread, which hands each request to another and takes the connection back
through a queue and a pipe, which shows in the time of small answers (docs/performance.md). Here the threads of a worker
wait on one epoll together, the kernel wakes one of them for each request, and nothing is handed over. An answer whose
body is there at once is sent with one call. Accepting, the limit of connections, HTTP and stopping stay gunicorn's.
"""

import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker  # type: ignore[attr-defined]

# A `TConn` of gunicorn: a socket, its parser, and the time at which it is closed if nothing comes.
Connection = Any

# A descriptor that has been reported to one thread is not reported again before it is armed again.
ONE_REQUEST = select.EPOLLIN | select.EPOLLONESHOT


class Response(wsgi.Response):
    """gunicorn's answer, with the head and the body in one piece where the body is."""

    def write(self, data: bytes) -> None:
        """Send a part of the body, and the head before the first."""
        omits_body = self._omits_body  # type: ignore[attr-defined]
        if self.headers_sent or omits_body or len(data) != self.response_length:
            super().write(data)
            return
        headers = [f"{name}: {value}\r\n" for name, value in self.headers]
        head = "".join([*self.default_headers(), *headers, "\r\n"])
        self.sock.sendall(head.encode("latin-1") + data)
        self.headers_sent, self.sent = True, len(data)


# What gunicorn makes answers of; it has no setting for it.
wsgi.Response = Response  # type: ignore[misc]


class Worker(ThreadWorker):
    """gunicorn's threaded worker, but for who waits for requests."""

    def run(self) -> None:
        """Serve until the worker is told to stop."""
        self._epoll = select.epoll()
        # Connections that wait for a request, by descriptor. Whoever takes one out has it alone.
        self._waiting: dict[int, Connection] = {}
        self._is_serving = True
        for _ in range(self.cfg.threads):
            self.tpool.submit(self._serve)
        super().run()
        self._is_serving = False

    def enqueue_req(self, conn: Connection) -> None:
        """Have a connection that was just accepted wait for its first request."""
        self._wait_for_request(conn, self._epoll.register)

    def _wait_for_request(self, conn: Connection, arm: Callable[[int, int], None]) -> None:
        conn.timeout = time.monotonic() + (self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER)
        conn.data_ready = True
        descriptor = conn.sock.fileno()
        # Before it is armed: a request that is reported earlier would find nobody who waits for it, and be lost.
        self._waiting[descriptor] = conn
        arm(descriptor, ONE_REQUEST)

    def _serve(self) -> None:
        while self._is_serving:
            for descriptor, _ in self._epoll.poll(timeout=1.0, maxevents=1):
                conn = self._waiting.pop(descriptor, None)
                if conn is not None:
                    self._answer(conn)

    def _answer(self, conn: Connection) -> None:
        """Answer what has come on a connection; then it waits for more, or is closed."""
        try:
            if self._keeps(conn):
                self._wait_for_request(conn, self._epoll.modify)
                return
        except Exception:
            self.log.exception("A connection is given up")
        # gunicorn has closed it already where an answer broke off after its head.
        with suppress(OSError):
            conn.close(graceful=True)
        # The main thread counts the connections.
        self.method_queue.defer(self._count_down)

    def _keeps(self, conn: Connection) -> bool:
        """Answer requests until none is left in the buffer, and say whether the connection stays open."""
        keep = self.handle(conn)
        while keep and conn.parser.unreader.buf.getvalue():
            keep = self.handle(conn)
        return bool(keep) and len(self._waiting) < self.max_keepalived

    def _count_down(self) -> None:
        self.nr_conns -= 1

    def murder_keepalived(self, force: bool = False) -> None:
        """Close the connections that have waited for too long, or all that wait."""
        now = time.monotonic()
        for descriptor, conn in list(self._waiting.items()):
            if (force or conn.timeout <= now) and self._waiting.pop(descriptor, None):
                self._count_down()
                conn.close()

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in list(self._waiting.values()):
            conn.timeout = min(conn.timeout, deadline)
