"""A PostgreSQL and a Redis server, each on a free port of 127.0.0.1 with a password of its own."""

import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Protocol

from nexus.devservices.binaries import redis_binary
from nexus.devservices.cluster import Cluster
from nexus.devservices.errors import HOW_TO_INSTALL, ServicesError
from nexus.devservices.processes import end_stray, log_file, start, stop

HOST = "127.0.0.1"
START_SECONDS = 30


class Server(Protocol):
    """A database server with its data and its log in one directory."""

    kind: str
    title: str
    variable: str
    url: str

    def __init__(self, directory: Path, throw_away: bool) -> None: ...

    def start(self) -> None:
        """Start the server and wait until it answers; raise ServicesError when it does not."""

    def stop(self) -> None:
        """Stop the server and wait for its end."""

    def has_ended(self) -> bool:
        """Whether the server was started and is gone."""

    @staticmethod
    def problem(url: str) -> str:
        """Why the server at `url` does not answer, in one line; empty when it does."""


class Postgres:
    """PostgreSQL on the data directory ``pg<major>``, which is made on the first start."""

    kind = "postgres"
    title = "PostgreSQL"
    variable = "DATABASE_URL"
    _settings = {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "shared_buffers": "256MB",
        "max_connections": "100",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    # Data that goes with the run needs no protection from a power cut; it outlives a crash of the server all the same.
    _throw_away_settings = {"fsync": "off", "full_page_writes": "off"}

    def __init__(self, directory: Path, throw_away: bool) -> None:
        self._log = directory / "postgres.log"
        self._cluster = Cluster(directory, throw_away)
        self._options = self._settings | (self._throw_away_settings if throw_away else {})
        self._port = free_port()
        self._child: subprocess.Popen[bytes] | None = None
        self._wish = signal.SIGQUIT if throw_away else signal.SIGINT
        self.url = f"postgresql://nexus:{self._cluster.password}@{HOST}:{self._port}/nexus"

    def start(self) -> None:
        """Start the server and make sure of the database ``nexus``; raise ServicesError on failure."""
        self._cluster.prepare()
        options = [f"--{name}={value}" for name, value in (self._options | {"port": str(self._port)}).items()]
        command: list[str | Path] = [self._cluster.program("postgres"), "-D", self._cluster.data, *options]
        with log_file(self._log) as log:
            self._child = start(
                command, self._cluster.account, signal.SIGINT, cwd="/", stdout=log, stderr=log
            )
        _wait(self, self._child, self.url.removesuffix("nexus") + "postgres", self._log)
        self._create_database()

    def stop(self) -> None:
        """Stop at once: sessions are cut off, the data is safe (pg_ctl's mode "fast")."""
        if self._child:
            stop(self._child, self._wish, seconds=10)

    def has_ended(self) -> bool:
        """Whether the server was started and is gone."""
        return self._child is not None and self._child.poll() is not None

    @staticmethod
    def problem(url: str) -> str:
        """Why PostgreSQL at `url` does not answer, in one line; empty when it does."""
        import psycopg2

        try:
            psycopg2.connect(url, connect_timeout=3).close()
        except psycopg2.Error as error:
            return " ".join(str(error).split())
        return ""

    def _create_database(self) -> None:
        import psycopg2

        connection = psycopg2.connect(self.url.removesuffix("nexus") + "postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'nexus'")
            if not cursor.fetchone():
                cursor.execute("CREATE DATABASE nexus")
        connection.close()


class Redis:
    """Redis (or Valkey) in memory only: what it knows is allowed to be forgotten."""

    kind = "redis"
    title = "Redis"
    variable = "REDIS_URL"

    def __init__(self, directory: Path, throw_away: bool) -> None:
        self._directory = directory
        self._log = directory / "redis.log"
        self._process_file = directory / "redis.pid"
        self._port = free_port()
        self._password = secrets.token_urlsafe(24)
        self._child: subprocess.Popen[bytes] | None = None
        self.url = f"redis://:{self._password}@{HOST}:{self._port}/0"

    def start(self) -> None:
        """Start the server; raise ServicesError when there is none on this machine or it does not start."""
        self._end_stray()
        program = redis_binary()
        if program is None:
            raise ServicesError(f"No Redis on this machine. {HOW_TO_INSTALL}")
        with log_file(self._log) as log:
            self._child = start([program, "-"], stdin=subprocess.PIPE, cwd="/", stdout=log, stderr=log)
        self._configure(self._child)
        self._process_file.write_text(str(self._child.pid))
        _wait(self, self._child, self.url, self._log)

    def stop(self) -> None:
        """Stop the server; it writes nothing."""
        if self._child:
            stop(self._child)

    def has_ended(self) -> bool:
        """Whether the server was started and is gone."""
        return self._child is not None and self._child.poll() is not None

    @staticmethod
    def problem(url: str) -> str:
        """Why Redis at `url` does not answer, in one line; empty when it does."""
        import redis

        try:
            with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
                client.ping()
        except (redis.RedisError, ValueError) as error:
            return " ".join(str(error).split())
        return ""

    def _configure(self, child: subprocess.Popen[bytes]) -> None:
        """Hand the configuration over on standard input, where no other user can read the password."""
        settings = f"bind {HOST}\nport {self._port}\nrequirepass {self._password}\nsave ''\nappendonly no\n"
        assert child.stdin is not None
        child.stdin.write(settings.encode())
        child.stdin.close()

    def _end_stray(self) -> None:
        if self._process_file.exists():
            end_stray(int(self._process_file.read_text() or 0), ["-server ", HOST])


SERVERS: dict[str, type[Postgres] | type[Redis]] = {"postgres": Postgres, "redis": Redis}


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _wait(server: Server, child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until a server that is starting answers; raise ServicesError with the end of its log otherwise."""
    deadline = time.monotonic() + START_SECONDS
    while problem := server.problem(url):
        if child.poll() is not None or time.monotonic() > deadline:
            stop(child)
            lines = log.read_text(errors="replace").strip().splitlines() or [problem]
            raise ServicesError(f"{server.title} did not start: {lines[-1]} (more in {log})")
        time.sleep(0.03)
