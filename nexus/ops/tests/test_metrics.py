"""What Prometheus reads."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

from nexus.ops import metrics
from nexus.ops.redis import guarded
from nexus.ops.tests.conftest import LogLines

pytestmark = pytest.mark.usefixtures("own_urls")


def reading(client: Client, name: str, **labels: str) -> float:
    """The value of a sample at `/metrics`; 0 if there is none."""
    return parsed(client.get("/metrics").content.decode(), name, **labels)


def parsed(text: str, name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return 0.0


@pytest.fixture
def own_gauges(monkeypatch: pytest.MonkeyPatch) -> None:
    """No gauges but those that the test registers."""
    monkeypatch.setattr(metrics, "gauges", metrics.Gauges())


def test_requests_are_counted_by_method_route_and_status(client: Client) -> None:
    labels = {"method": "GET", "route": "/test/products/<int:pk>"}
    before = reading(client, "nexus_http_requests_total", status="200", **labels)
    client.get("/test/products/7")
    client.get("/test/products/8")
    assert reading(client, "nexus_http_requests_total", status="200", **labels) == before + 2
    assert reading(client, "nexus_http_request_seconds_bucket", le="+Inf", **labels) == before + 2


def test_unknown_paths_and_methods_make_one_label(client: Client) -> None:
    labels = {"method": "other", "route": "unmatched", "status": "404"}
    before = reading(client, "nexus_http_requests_total", **labels)
    client.generic("BREW", "/coffee")
    client.generic("STEEP", "/tea")
    assert reading(client, "nexus_http_requests_total", **labels) == before + 2


@pytest.mark.django_db
def test_database_queries_are_counted_and_timed(client: Client) -> None:
    # The first scrape works out the gauges, by queries of its own.
    reading(client, "nexus_database_query_seconds_count")
    before = reading(client, "nexus_database_query_seconds_count")
    seconds = reading(client, "nexus_database_query_seconds_sum")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.01)")
    assert reading(client, "nexus_database_query_seconds_count") == before + 1
    assert reading(client, "nexus_database_query_seconds_sum") >= seconds + 0.01


def test_calls_of_redis_are_counted(client: Client) -> None:
    labels = {"caller": "nexus", "outcome": "answered"}
    before = reading(client, "nexus_cache_call_seconds_count", **labels)
    guarded(lambda redis: redis.ping(), default=None)
    assert reading(client, "nexus_cache_call_seconds_count", **labels) > before


def test_calls_of_djangos_cache_are_counted(client: Client) -> None:
    labels = {"caller": "django", "outcome": "answered"}
    before = reading(client, "nexus_cache_call_seconds_count", **labels)
    cache.set("test", 1)
    assert cache.get("test") == 1
    assert reading(client, "nexus_cache_call_seconds_count", **labels) == before + 2


@pytest.mark.usefixtures("own_gauges")
def test_gauges_are_read_when_prometheus_reads(client: Client) -> None:
    def jobs() -> Iterator[Metric]:
        gauge = GaugeMetricFamily("test_jobs", "Jobs.", labels=["status"])
        gauge.add_metric(["queued"], 3)
        yield gauge

    metrics.register_gauges(jobs)
    assert reading(client, "test_jobs", status="queued") == 3


@pytest.mark.usefixtures("own_gauges")
def test_a_gauge_is_not_read_at_every_scrape(client: Client) -> None:
    readings = iter([1.0, 2.0])

    def jobs() -> Iterator[Metric]:
        yield GaugeMetricFamily("test_jobs", "Jobs.", value=next(readings))

    metrics.register_gauges(jobs)
    assert [reading(client, "test_jobs") for _ in range(2)] == [1, 1]
    metrics.gauges.forget()
    assert reading(client, "test_jobs") == 2


@pytest.mark.usefixtures("own_gauges")
def test_a_gauge_that_fails_is_left_out(client: Client, log_lines: LogLines) -> None:
    def failing() -> Iterator[Metric]:
        yield GaugeMetricFamily("test_half", "Never seen.", value=1)
        raise RuntimeError("no such table")

    metrics.register_gauges(failing)
    metrics.register_gauges(lambda: [GaugeMetricFamily("test_jobs", "Jobs.", value=3)])
    assert reading(client, "test_jobs") == 3
    assert reading(client, "test_half") == 0
    assert "no such table" in log_lines()[0]["exception"]


def test_without_redis_the_queue_has_no_depth(
    client: Client, settings: LazySettings, refusing_port: int
) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{refusing_port}/0"
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert b"nexus_queue_depth{" not in answer.content
    assert b"nexus_workers_alive " not in answer.content


def test_several_processes_are_summed(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(code: str) -> str:
        program = f"from nexus.ops import metrics; {code}"
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment, cwd=django_settings.BASE_DIR, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    for _ in range(2):
        run("metrics.count_request('GET', '/products', 200, 0.01)")
    text = run("print(metrics.exposition().decode())")
    assert parsed(text, "nexus_http_requests_total", method="GET", route="/products", status="200") == 2


@pytest.mark.django_db(transaction=True)
def test_a_connection_made_inside_a_block_with_a_wrapper_keeps_nothing_of_it() -> None:
    def wrapper(execute: Callable[..., Any], *arguments: Any) -> Any:
        return execute(*arguments)

    connection.close()
    connection.execute_wrappers.clear()
    with connection.execute_wrapper(wrapper), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert connection.execute_wrappers == [metrics.measure_query]
