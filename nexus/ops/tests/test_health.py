"""What load balancers are told, whatever is down."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, connections
from django.test import Client

from nexus.ops import health, probes, redis

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_urls")]

Place = Callable[[str, int], None]


@pytest.fixture
def database_at(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Moves PostgreSQL to another host and port, as far as a new probe knows."""

    def move(host: str, port: int) -> None:
        monkeypatch.setattr(health, "database", probes.DatabaseProbe())
        monkeypatch.setattr(health, "migrations", probes.MigrationsProbe())
        monkeypatch.setitem(connections["default"].settings_dict, "HOST", host)
        monkeypatch.setitem(connections["default"].settings_dict, "PORT", port)

    return move


@pytest.fixture
def redis_at(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Place:
    """Moves Redis to another host and port."""

    def move(host: str, port: int) -> None:
        monkeypatch.setattr(health, "redis", probes.RedisProbe())
        settings.REDIS_URL = f"redis://{host}:{port}/0"
        redis.reset()

    return move


def statuses(body: dict[str, Any]) -> dict[str, str]:
    return {"all": body["status"]} | {name: check["status"] for name, check in body["checks"].items()}


def test_all_is_well(client: Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert statuses(answer.json()) == {"all": "ok", "database": "ok", "redis": "ok", "migrations": "ok"}
    assert all(check["latency_ms"] >= 0 for check in answer.json()["checks"].values())
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_redis_it_is_degraded(client: Client, redis_at: Place, refusing_port: int) -> None:
    redis_at("127.0.0.1", refusing_port)
    answer = client.get("/health")
    assert answer.status_code == 200
    assert statuses(answer.json()) == {
        "all": "degraded", "database": "ok", "redis": "unavailable", "migrations": "ok",
    }  # fmt: skip


def test_without_the_database_it_is_unavailable(
    client: Client, database_at: Place, refusing_port: int
) -> None:
    database_at("127.0.0.1", refusing_port)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert statuses(answer.json()) == {
        "all": "unavailable", "database": "unavailable", "redis": "ok", "migrations": "unavailable",
    }  # fmt: skip
    assert str(refusing_port).encode() not in answer.content


def test_services_that_hang_do_not_hold_up_the_answer(
    client: Client, database_at: Place, redis_at: Place, hanging_port: int
) -> None:
    database_at("127.0.0.1", hanging_port)
    redis_at("127.0.0.1", hanging_port)
    started = time.monotonic()
    answer = client.get("/health")
    # The contract itself: within two seconds, whatever is down.
    assert time.monotonic() - started < 2
    assert set(statuses(answer.json()).values()) == {"unavailable"}


def test_a_database_that_was_restarted_is_found_again(client: Client) -> None:
    client.get("/health")
    kept = health.database._connection
    assert kept is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [kept.info.backend_pid])
    assert client.get("/health").json()["status"] == "ok"


def test_a_database_that_comes_late_is_found(
    client: Client, database_at: Place, refusing_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = connections["default"].settings_dict
    host, port = here["HOST"], here["PORT"]
    database_at("127.0.0.1", refusing_port)
    assert client.get("/health").status_code == 503
    monkeypatch.setitem(here, "HOST", host)
    monkeypatch.setitem(here, "PORT", port)
    assert client.get("/health").status_code == 200


def test_missing_migrations_make_it_unavailable(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "migrations", probes.MigrationsProbe())
    # A database that every PostgreSQL has, and in which nothing was ever migrated.
    monkeypatch.setitem(connections["default"].settings_dict, "NAME", "postgres")
    answer = client.get("/health")
    assert answer.status_code == 503
    assert statuses(answer.json()) == {
        "all": "unavailable", "database": "ok", "redis": "ok", "migrations": "unavailable",
    }  # fmt: skip


def test_head_is_answered_like_get(client: Client) -> None:
    answer = client.head("/health")
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize("path", ["/health", "/health/live", "/metrics"])
def test_other_methods_are_problems(client: Client, path: str) -> None:
    answer = client.post(path)
    assert answer.status_code == 405
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Allow"] == "GET, HEAD"
    problem = answer.json()
    assert (problem["code"], problem["status"], problem["instance"]) == ("method_not_allowed", 405, path)
    assert problem["request_id"] == answer.headers["X-Request-ID"]


def test_a_live_process_says_so_without_any_service(
    client: Client, database_at: Place, redis_at: Place, refusing_port: int
) -> None:
    database_at("127.0.0.1", refusing_port)
    redis_at("127.0.0.1", refusing_port)
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
