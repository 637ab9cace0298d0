"""What Prometheus reads: counters and histograms of this process, and gauges asked for when it comes to read.

Several server processes share their figures through files in ``PROMETHEUS_MULTIPROC_DIR``; without it each
tells its own. Upper packages add gauges with ``register_gauges`` when their application is ready.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    Summary,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

logger = logging.getLogger(__name__)

GaugeSource = Callable[[], Iterable[Metric]]

# Gauges may count rows; no scraper makes them do so more often than this.
GAUGES_KEPT_S = 10.0
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# The time at which each series began doubles their number and tells nobody anything.
disable_created_metrics()

HTTP_REQUESTS = Counter(
    "nexus_http_requests", "HTTP requests, by route template.", ["method", "route", "status"]
)
HTTP_SECONDS = Histogram(
    "nexus_http_request_seconds",
    "Time to the beginning of the answer.",
    ["method", "route"],
    buckets=LATENCY_BUCKETS_S,
)
DATABASE_QUERIES = Summary(
    "nexus_database_query_seconds", "Queries sent to PostgreSQL and the time they took."
)
CACHE_CALLS = Summary(
    "nexus_cache_call_seconds",
    "Calls of Redis, by Nexus itself or through Django's cache, and the time they took.",
    ["caller", "outcome"],
)
CLASSIFIER_SECONDS = Histogram(
    "nexus_classifier_seconds",
    "Time the classifier took for one input.",
    buckets=(
        0.00001,
        0.000025,
        0.00005,
        0.0001,
        0.00025,
        0.0005,
        0.001,
        0.0025,
        0.005,
        0.01,
        0.05,
        0.25,
        1.0,
    ),
)


@lru_cache(maxsize=4096)
def _request_metrics(method: str, route: str, status: int) -> tuple[Any, Any]:
    return HTTP_REQUESTS.labels(method, route, str(status)), HTTP_SECONDS.labels(method, route)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one HTTP request. Methods that HTTP does not know are counted as one, so that labels stay few."""
    counter, histogram = _request_metrics(method if method in METHODS else "other", route, status)
    counter.inc()
    histogram.observe(seconds)


def measure_query(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """Count one database query: an ``execute_wrapper`` of Django's connections."""
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        DATABASE_QUERIES.observe(time.perf_counter() - started)


def measure_queries_of(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receive Django's ``connection_created``.

    The measure goes first: a connection may be made inside a block that has put a wrapper of its own there, and
    takes the last one away when it ends.
    """
    if measure_query not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, measure_query)


class Gauges:
    """A Prometheus collector that asks every registered source, and remembers its answer for a while."""

    def __init__(self) -> None:
        self._sources: list[GaugeSource] = []
        self._kept: dict[GaugeSource, tuple[float, list[Metric]]] = {}
        self._lock = Lock()

    def register(self, source: GaugeSource) -> None:
        """Add a source; one that is there already stays once."""
        if source not in self._sources:
            self._sources.append(source)

    def forget(self) -> None:
        """Let the next scrape ask the sources anew."""
        self._kept.clear()

    def collect(self) -> Iterator[Metric]:
        """The gauges of all sources; those of a failing source are left out."""
        with self._lock:
            answers = [self._ask(source) for source in self._sources]
        for metrics in answers:
            yield from metrics

    def _ask(self, source: GaugeSource) -> list[Metric]:
        asked, metrics = self._kept.get(source, (0.0, []))
        if asked and time.monotonic() - asked < GAUGES_KEPT_S:
            return metrics
        try:
            metrics = list(source())
        except Exception:
            logger.exception("A gauge could not be read")
            metrics = []
        self._kept[source] = time.monotonic(), metrics
        return metrics


gauges = Gauges()


def register_gauges(source: GaugeSource) -> None:
    """Have `source` give gauges (``prometheus_client.core.GaugeMetricFamily``) at every scrape.

    It may query the database; its answer is kept for ten seconds. Call this in ``AppConfig.ready``.
    """
    gauges.register(source)


def exposition() -> bytes:
    """All metrics in Prometheus' text format, summed over the processes that share a directory."""
    at_scrape = CollectorRegistry()
    at_scrape.register(gauges)
    counted = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    return generate_latest(counted) + generate_latest(at_scrape)
