"""Which Celery workers are alive and at work, and how much waits for them, as they tell it in Redis."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypedDict

import redis
from celery import current_app
from django.conf import settings

from nexus.ops.redis import connect, guarded

ALIVE = "nexus:ops:workers"
BUSY = "nexus:ops:workers:busy"
# Workers report every two seconds, but a worker with a single process only between its tasks.
EXPIRES_S = 30


class Workers(TypedDict):
    """How many workers are alive, and how many of them are at work; None where Redis does not answer."""

    alive: int | None
    busy: int | None


def report(sender: Any, **_: Any) -> None:
    """Tell that this worker is alive: a receiver of Celery's ``worker_ready`` and ``heartbeat_sent``."""
    # The worker's modules are of no use to the other processes, and slow to load.
    from celery.worker import state

    name = _name(sender)
    guarded(lambda client: _write(client, name, len(state.active_requests)), default=None)


def sign_off(sender: Any, **_: Any) -> None:
    """Tell that this worker ends: a receiver of Celery's ``worker_shutdown``."""
    name = _name(sender)
    guarded(lambda client: client.zrem(ALIVE, name), default=None)


def _name(sender: Any) -> str:
    # A heart knows its name through its dispatcher of events; consumers and workers know their own.
    return str(sender.eventer.hostname if hasattr(sender, "eventer") else sender.hostname)


def _write(client: redis.Redis, name: str, busy: int) -> None:
    pipeline = client.pipeline()
    pipeline.zadd(ALIVE, {name: time.time()})
    pipeline.expire(ALIVE, EXPIRES_S)
    pipeline.hset(BUSY, name, str(busy))
    pipeline.expire(BUSY, EXPIRES_S)
    pipeline.execute()


def workers() -> Workers:
    """The workers that reported in the last thirty seconds."""
    return guarded(_read, default=None) or {"alive": None, "busy": None}


def _read(client: redis.Redis) -> Workers:
    pipeline = client.pipeline()
    pipeline.zremrangebyscore(ALIVE, "-inf", time.time() - EXPIRES_S)
    pipeline.zrange(ALIVE, 0, -1)
    pipeline.hgetall(BUSY)
    _, alive, busy = pipeline.execute()
    return {"alive": len(alive), "busy": sum(int(busy.get(name, 0)) > 0 for name in alive)}


def queue_depths() -> dict[str, int | None]:
    """The messages that wait in each queue; None where the broker does not tell (only Redis is asked)."""
    names = sorted(current_app.amqp.queues)
    depths: Sequence[int | None] | None = None
    if settings.CELERY_BROKER_URL == settings.REDIS_URL:
        depths = guarded(lambda client: _lengths(client, names), default=None)
    elif settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
        depths = _lengths_at_broker(names)
    return dict(zip(names, depths or [None] * len(names), strict=True))


def _lengths(client: redis.Redis, queues: list[str]) -> list[int]:
    pipeline = client.pipeline(transaction=False)
    for queue in queues:
        pipeline.llen(queue)
    return pipeline.execute()


def _lengths_at_broker(queues: list[str]) -> list[int] | None:
    try:
        return _lengths(_broker(), queues)
    except redis.RedisError:
        return None


@lru_cache(maxsize=1)
def _broker() -> redis.Redis:
    return connect(settings.CELERY_BROKER_URL)
