"""A Nexus whose PostgreSQL, Redis and workers may be stopped and killed: its own services, on its own data."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from nexus.devservices.processes import log_file, start, stop_all
from nexus.devservices.servers import Postgres, Redis, free_port
from tests.live import PROJECT, STOP_SECONDS, environment, fill

PATIENCE_S = 30.0
PASSWORD = "nexus-demo"


@dataclass(frozen=True)
class Answer:
    """What came back, and how long that took."""

    status: int
    headers: dict[str, str]
    body: Any
    seconds: float


@dataclass
class Nexus:
    """A running Nexus and what it stands on."""

    postgres: Postgres
    redis: Redis
    logs: Path
    port: int = field(default_factory=free_port)
    parts: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    web: "subprocess.Popen[bytes] | None" = None
    # Where messages go, if not to Redis.
    broker_url: str = ""

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a part of Nexus."""
        values = environment(self.postgres.url, self.redis.url) | {"CELERY_BROKER_URL": self.broker_url}
        with log_file(self.logs / f"{len(self.parts)}-{command[0]}.log") as output:
            part = start(
                [sys.executable, "-m", *command],
                cwd=PROJECT,
                env=values,
                stdout=output,
                stderr=subprocess.STDOUT,
                dying_wish=signal.SIGKILL,
            )
        self.parts.append(part)
        return part

    def start_web(self) -> None:
        """Start the web server and wait until it is healthy."""
        address = f"127.0.0.1:{self.port}"
        self.web = self.start(
            "gunicorn", "-c", "nexus/gunicorn.py", "--bind", address, "nexus.wsgi:application"
        )
        eventually(lambda: self.status_of("/health") == 200)

    def start_worker(self, name: str = "worker", *, with_clock: bool = True) -> "subprocess.Popen[bytes]":
        """Start a Celery worker that serves all queues, with the clock in it, which finds the work that nobody does."""
        options = ["--hostname", f"{name}@%h", "--without-gossip", "--without-mingle", "--concurrency=2"]
        clock = ["--beat", "--schedule", str(self.logs / f"beat-{name}")] if with_clock else []
        return self.start("celery", "-A", "nexus", "worker", *options, *clock)

    def start_clock(self) -> "subprocess.Popen[bytes]":
        """Start a clock of its own."""
        schedule = str(self.logs / f"beat-{len(self.parts)}")
        return self.start("celery", "-A", "nexus", "beat", "--schedule", schedule, "--pidfile=")

    def call(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        """The answer to a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        started = time.monotonic()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        document = json.loads(content) if content.startswith((b"{", b"[")) else content
        return Answer(answer.status, dict(answer.headers), document, time.monotonic() - started)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""
        with closing(psycopg2.connect(self.postgres.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def some_seconds_later(self) -> None:
        """As if so much time had passed that leases have run out and messages are overdue."""
        past = "now() - interval '1 second'"
        self.rows(f"UPDATE nexus_jobs_chunk SET leased_until = {past} WHERE status = 'running'")
        self.rows(f"UPDATE nexus_jobs_chunk SET offered_until = {past} WHERE offered_until IS NOT NULL")
        self.rows(
            f"UPDATE nexus_jobs_job SET created_at = created_at - interval '1 minute', "
            f"leased_until = CASE WHEN leased_until IS NULL THEN NULL ELSE {past} END WHERE finished_at IS NULL"
        )

    def status_of(self, path: str, token: str = "") -> int:
        """The status of a GET; 0 when there is no answer."""
        try:
            return self.call("GET", path, token=token).status
        except OSError:
            return 0

    def sign_in(self, role: str = "editor") -> str:
        """The access token of a session of its own."""
        credentials = {"email": f"{role}@example.com", "password": PASSWORD}
        answer = self.call("POST", "/auth/login", credentials)
        assert answer.status == 200, answer
        return str(answer.body["access_token"])

    def pid_of_redis(self) -> int:
        """The process of the Redis server."""
        return int((self.logs / "redis.pid").read_text())

    @contextmanager
    def hanging_redis(self) -> Iterator[None]:
        """A Redis that takes connections and says nothing."""
        pid = self.pid_of_redis()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End everything."""
        stop_all(self.parts, STOP_SECONDS)
        self.redis.stop()
        self.postgres.stop()


def eventually(holds: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until something holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.1)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a part of Nexus and the processes that it started, at once and without a word."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def running(directory: Path) -> Iterator[Nexus]:
    """A seeded Nexus without workers, on services of its own."""
    for place in (directory, *directory.parents[:2]):
        place.chmod(0o711)
    nexus = Nexus(Postgres(directory, throw_away=True), Redis(directory, throw_away=True), directory)
    try:
        nexus.postgres.start()
        nexus.redis.start()
        fill(nexus.postgres.url)
        nexus.start_web()
        yield nexus
    finally:
        nexus.stop()


@pytest.fixture(scope="package")
def nexus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nexus]:
    """One for all tests. Every test leaves its services as they were: running."""
    with running(tmp_path_factory.mktemp("faults")) as started:
        yield started


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here stops or kills something."""
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker("faults")
