"""A running Nexus for tests that meet it from outside: gunicorn and a Celery worker, on a database of their own."""

import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import redis

from nexus.devservices.processes import log_file, start, stop_all
from nexus.devservices.servers import free_port

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
# What is still open then belongs to databases that are dropped.
STOP_SECONDS = 1
# What the person who runs the tests has set is not what is documented.
UNSET = ("CELERY_BROKER_URL", "CORS_ALLOWED_ORIGINS", "NEXUS_DEMO_PASSWORD", "PROMETHEUS_MULTIPROC_DIR")


@dataclass(frozen=True)
class Live:
    """Where a running Nexus answers, and what it runs on."""

    url: str
    database_url: str
    redis_url: str
    web: "subprocess.Popen[bytes]"
    worker: "subprocess.Popen[bytes]"
    logs: Path


@contextmanager
def database(template: str = "template0") -> Iterator[str]:
    """The name of a database that is a copy of another, and goes when the block ends."""
    name = f"test_live_{os.getpid()}_{secrets.token_hex(4)}"
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield name
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def url_of(name: str) -> str:
    """The URL of a database beside the one that ``DATABASE_URL`` names."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def redis_url(number: int) -> str:
    """The URL of a numbered database of the Redis that ``REDIS_URL`` names."""
    return urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}").geturl()


def fill(database_url: str) -> None:
    """Migrate a database and seed it, as ``make run`` does."""
    for command in (["migrate", "--verbosity", "0"], ["seed"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env=environment(database_url, os.environ["REDIS_URL"]),
            check=True,
            capture_output=True,
        )


def environment(database_url: str, redis_url: str) -> dict[str, str]:
    """The environment of a Nexus for development with these services."""
    inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
    return inherited | {
        "NEXUS_ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "WEB_CONCURRENCY": "2",
    }


@contextmanager
def serving(database_url: str, redis_url: str, logs: Path) -> Iterator[Live]:
    """Serve Nexus on a free port of 127.0.0.1 until the block ends. Raises RuntimeError when it does not start."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    broker = redis.Redis.from_url(redis_url)
    broker.flushdb()
    values = environment(database_url, redis_url) | {"PROMETHEUS_MULTIPROC_DIR": str(logs / "metrics")}
    web = _part(
        ["gunicorn", "-c", "nexus/gunicorn.py", "--bind", f"127.0.0.1:{port}", "nexus.wsgi:application"],
        values,
        logs / "web.log",
    )
    worker = _part(
        ["celery", "-A", "nexus", "worker", "--concurrency=1", "--without-gossip", "--without-mingle"],
        values,
        logs / "worker.log",
    )
    try:
        _wait_until_healthy(url, web, logs)
        yield Live(url, database_url, redis_url, web, worker, logs)
    finally:
        stop_all([web, worker], STOP_SECONDS)
        broker.flushdb()
        broker.close()


def _part(command: list[str], values: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log_file(log) as output:
        return start(
            [sys.executable, "-m", *command], cwd=PROJECT, env=values, stdout=output, stderr=subprocess.STDOUT
        )


def _wait_until_healthy(url: str, web: "subprocess.Popen[bytes]", logs: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while web.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise RuntimeError(f"Nexus did not start:\n{(logs / 'web.log').read_text()[-2000:]}")


def _administer(statement: str) -> None:
    with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
