"""Whether Nexus can work, for load balancers and container engines: ``/health`` and ``/health/live``."""

import time
from typing import Literal, Protocol, TypedDict

from nexus.ops.probes import DatabaseProbe, MigrationsProbe, RedisProbe

# When each check is given up, counted from the start of all, so that the answer is there within two seconds.
DATABASE_DEADLINE_S, REDIS_DEADLINE_S, MIGRATIONS_DEADLINE_S = 0.8, 1.3, 1.7

Status = Literal["ok", "degraded", "unavailable"]


class Check(TypedDict):
    """How one service answered, and how long that took."""

    status: Literal["ok", "unavailable"]
    latency_ms: float


class Health(TypedDict):
    """The body of ``GET /health``."""

    status: Status
    checks: dict[str, Check]


class Answering(Protocol):
    """A probe."""

    def answers(self, deadline: float) -> bool:
        """Whether the service answers before the deadline."""


database, redis, migrations = DatabaseProbe(), RedisProbe(), MigrationsProbe()


def check_health() -> Health:
    """The health of Nexus, within two seconds whatever is down."""
    started = time.monotonic()
    checks = {
        "database": _check(database, started + DATABASE_DEADLINE_S),
        "redis": _check(redis, started + REDIS_DEADLINE_S),
        "migrations": _check(migrations, started + MIGRATIONS_DEADLINE_S),
    }
    return {"status": _overall(checks), "checks": checks}


def close() -> None:
    """Close the connections that the checks keep; the next check opens others."""
    database.forget()
    redis.forget()


def _check(probe: Answering, deadline: float) -> Check:
    started = time.perf_counter()
    answers = probe.answers(deadline)
    latency_ms = round((time.perf_counter() - started) * 1000, 3)
    return {"status": "ok" if answers else "unavailable", "latency_ms": latency_ms}


def _overall(checks: dict[str, Check]) -> Status:
    if checks["database"]["status"] != "ok" or checks["migrations"]["status"] != "ok":
        return "unavailable"
    return "ok" if checks["redis"]["status"] == "ok" else "degraded"
