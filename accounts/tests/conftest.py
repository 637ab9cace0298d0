"""Commits, and a Redis that does not answer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings

from nexus.ops import redis

Commits = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Callable[..., Any]) -> Commits:
    """``with commits():`` does what waits for the commit, which a test in a transaction never reaches."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture
def redis_down(settings: LazySettings) -> Iterator[None]:
    """A Redis that refuses every connection."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis.reset()
    yield
    redis.reset()
