"""The process's Redis clients, and the breaker that keeps a silent Redis from holding up requests.

Everybody but Celery and Django's cache asks Redis through ``guarded(call, default)``::

    live = guarded(lambda redis: redis.get(key), default=None)

When Redis fails, the caller gets `default` and goes on without; for the next second so does everybody else,
without asking. Then a single caller tries again, and the first that succeeds opens the way for all.
"""

import logging
import os
import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock, local
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from nexus.ops.metrics import CACHE_CALLS

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Default = TypeVar("Default")

TIMEOUT_S = 0.5
REST_S = 1.0

_thread = local()


def client() -> redis.Redis:
    """This thread's client of the Redis at ``settings.REDIS_URL``; answers bytes; no command takes longer than half a
    second.

    It has one connection, since a pool takes as long to find one and to look whether it is alive as a command. One
    that Redis has closed meanwhile is made anew.
    """
    if not hasattr(_thread, "client"):
        once_more = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        _thread.client = connect(settings.REDIS_URL, single_connection_client=True, retry=once_more)
    found: redis.Redis = _thread.client
    return found


def connect(url: str, **options: Any) -> redis.Redis:
    """A client of the Redis at `url`, with short timeouts and, unless `options` say otherwise, no retries."""
    timeouts = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    return redis.Redis.from_url(url, **timeouts | {"retry": Retry(NoBackoff(), 0)} | options)


class Breaker:
    """Leaves a failing service alone for `REST_S` seconds at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._closed_until: float | None = None

    def answering(self) -> bool:
        """Whether the last attempt succeeded, or enough time has passed for another."""
        return self._closed_until is None or time.monotonic() >= self._closed_until

    def may_try(self) -> bool:
        """As `answering`, but while the service is failing true for one caller in `REST_S` seconds only."""
        if self._closed_until is None:
            return True
        with self._lock:
            if not self.answering():
                return False
            self._closed_until = time.monotonic() + REST_S
            return True

    def failed(self, error: Exception) -> None:
        """Take note of a failure; the first is logged, those that follow it are not."""
        with self._lock:
            first, self._closed_until = self._closed_until is None, time.monotonic() + REST_S
        if first:
            logger.warning("Redis does not answer: %s", error, extra={"error": type(error).__name__})

    def succeeded(self) -> None:
        """Take note of a success."""
        if self._closed_until is not None:
            self._closed_until = None
            logger.info("Redis answers again")


_breaker = Breaker()


def answering() -> bool:
    """Whether Redis is worth asking. For those who can choose another way from the start."""
    return _breaker.answering()


def guarded(call: Callable[[redis.Redis], Answer], default: Default) -> Answer | Default:
    """What `call` makes of the client; `default` if Redis fails or has just failed. Raises no RedisError."""
    try:
        return _try(lambda: call(client()), "nexus")
    except redis.RedisError:
        return default
    except BaseException:
        # Stopped anywhere, such as by a time limit, it may leave an answer that the next command took for its own.
        vars(_thread).clear()
        raise


def _try(call: Callable[[], Answer], caller: str) -> Answer:
    """What `call` returns. Raises its RedisError, or one at once while Redis is left alone."""
    if not _breaker.may_try():
        raise redis.ConnectionError("Redis has just failed and is left alone")
    started, outcome = time.perf_counter(), "failed"
    try:
        answer = call()
        outcome = "answered"
    except redis.RedisError as error:
        _breaker.failed(error)
        raise
    finally:
        _observer(caller, outcome).observe(time.perf_counter() - started)
    _breaker.succeeded()
    return answer


@lru_cache
def _observer(caller: str, outcome: str) -> Any:
    return CACHE_CALLS.labels(caller, outcome)


class CacheRedis(redis.Redis):
    """The client of Django's cache (``REDIS_CLIENT_CLASS`` of django-redis), counted and with the breaker."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command. Raises RedisError, which django-redis takes for a miss."""
        return _try(lambda: super(CacheRedis, self).execute_command(*args, **options), "django")


def reset() -> None:
    """Forget the connections and the failures, as a process does that has just been forked."""
    global _breaker, _thread
    _thread = local()
    _breaker = Breaker()


os.register_at_fork(after_in_child=reset)
