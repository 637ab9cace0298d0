"""What an operator is told."""

import time
from types import SimpleNamespace

import pytest
from celery import current_app
from django.conf import LazySettings
from django.test import Client

from nexus.ops import redis, requests, status, workers
from nexus.ops.redis import guarded
from nexus.ops.status import build_status
from nexus.ops.tests.conftest import LogLines


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    """Nothing in Redis that another test or process told of itself."""
    requests.tally.flush()
    for key in redis.client().scan_iter("nexus:ops:*"):
        redis.client().delete(key)
    redis.client().delete(*current_app.amqp.queues)


@pytest.fixture
def redis_is_down(settings: LazySettings, refusing_port: int) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{refusing_port}/0"
    redis.reset()


@pytest.fixture
def own_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_sections", {})
    monkeypatch.setattr(status, "_counts", {})


def heart(name: str) -> SimpleNamespace:
    """What Celery's heartbeat signal is sent by."""
    return SimpleNamespace(eventer=SimpleNamespace(hostname=name))


def test_it_names_what_runs() -> None:
    told = build_status()
    assert told["version"]
    assert told["python"].startswith("3.")
    assert told["django"].startswith("5.2")
    assert told["uptime_s"] >= 0


def test_the_commit_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXUS_COMMIT", "abc123")
    assert status.commit.__wrapped__() == "abc123"


@pytest.mark.usefixtures("own_sections")
def test_upper_packages_add_their_parts() -> None:
    status.register_count("test_products", lambda: {"active": 3})
    status.register_section("test_classifiers", lambda: [{"taxonomy": "nexus-hardware"}])
    told = build_status()
    assert told["counts"] == {"test_products": {"active": 3}}
    assert told["test_classifiers"] == [{"taxonomy": "nexus-hardware"}]


@pytest.mark.usefixtures("own_sections")
def test_a_part_that_fails_is_null_and_logged(log_lines: LogLines) -> None:
    status.register_count("test_products", lambda: 1 / 0)
    status.register_section("test_reviews", lambda: 4)
    told = build_status()
    assert told["counts"] == {"test_products": None}
    assert told["test_reviews"] == 4
    assert "ZeroDivisionError" in log_lines()[0]["exception"]


def test_a_worker_that_reports_is_alive() -> None:
    workers.report(sender=heart("one"))
    workers.report(sender=heart("two"))
    assert build_status()["workers"] == {"alive": 2, "busy": 0}


def test_a_worker_with_a_task_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.worker.state.active_requests", {"a task"})
    workers.report(sender=heart("one"))
    assert build_status()["workers"] == {"alive": 1, "busy": 1}


def test_a_worker_that_ended_is_gone() -> None:
    workers.report(sender=heart("one"))
    workers.sign_off(sender=SimpleNamespace(hostname="one"))
    assert build_status()["workers"] == {"alive": 0, "busy": 0}


def test_a_worker_that_died_is_gone_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    workers.report(sender=heart("one"))
    monkeypatch.setattr(workers, "EXPIRES_S", 0)
    assert build_status()["workers"] == {"alive": 0, "busy": 0}


def test_the_depth_of_a_queue_is_what_waits_in_it() -> None:
    queue = next(iter(current_app.amqp.queues))
    guarded(lambda redis: redis.lpush(queue, "one", "two"), default=None)
    assert build_status()["queues"][queue] == 2


def test_a_broker_that_is_no_redis_has_no_depths(settings: LazySettings) -> None:
    settings.CELERY_BROKER_URL = "amqp://localhost"
    assert set(build_status()["queues"].values()) == {None}


@pytest.mark.usefixtures("own_urls")
def test_requests_of_the_last_minutes_are_measured(client: Client) -> None:
    for _ in range(3):
        client.get("/test/products/7")
    told = build_status()["requests"]
    assert told["rate_per_s"] == 0.01
    assert 0 < told["p50_ms"] <= told["p95_ms"]


@pytest.mark.usefixtures("own_urls")
def test_probes_are_no_requests(client: Client) -> None:
    client.get("/health/live")
    assert build_status()["requests"] == {"rate_per_s": 0.0, "p50_ms": None, "p95_ms": None}


def test_requests_of_all_processes_are_added_up() -> None:
    for seconds in (0.010, 0.100):
        process = requests.Tally()
        for _ in range(300):
            process.add(seconds)
        process.flush()
    told = requests.recent()
    assert told["rate_per_s"] == 2.0
    assert told["p50_ms"] == pytest.approx(10, rel=0.05)
    assert told["p95_ms"] == pytest.approx(100, rel=0.05)


def test_requests_of_long_ago_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    process = requests.Tally()
    process.add(0.01)
    process.flush()
    later = time.time() + 320
    monkeypatch.setattr(requests.time, "time", lambda: later)
    assert requests.recent()["rate_per_s"] == 0.0


@pytest.mark.usefixtures("redis_is_down")
def test_without_redis_the_rest_is_told() -> None:
    told = build_status()
    assert told["version"]
    assert told["workers"] == {"alive": None, "busy": None}
    assert set(told["queues"].values()) == {None}
    assert told["requests"] == {"rate_per_s": None, "p50_ms": None, "p95_ms": None}
