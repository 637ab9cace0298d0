"""Services that are down or hang, and the log as a reader gets it."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from nexus.ops import health, metrics, redis
from nexus.ops import logging as ops_logging

LogLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def fresh_operations() -> Iterator[None]:
    """Nothing that one test learnt about the services is known to another."""
    metrics.gauges.forget()
    redis.reset()
    yield
    redis.reset()
    health.close()


@pytest.fixture
def own_urls(settings: LazySettings) -> None:
    """The paths of `nexus.ops.tests.urls`, with no middleware but that of operations."""
    settings.ROOT_URLCONF = "nexus.ops.tests.urls"
    settings.MIDDLEWARE = ["nexus.ops.middleware.RequestMiddleware"]


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str], settings: LazySettings) -> Iterator[LogLines]:
    """Call it for what was logged since the last call, as JSON objects."""
    ops_logging.configure({"level": "INFO"})
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    ops_logging.configure(settings.LOGGING)


@pytest.fixture
def refusing_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A port at which connections are accepted and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])
