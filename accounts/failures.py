"""Counts failed sign-ins by address and by account, a minute at a time, to slow down guessing of passwords.

Only failures count, so that nobody is held up by signing in often. Redis counts for all processes; while it
does not answer, each process counts for itself.
"""

import hashlib
import time
from collections import Counter
from functools import partial
from ipaddress import ip_network
from threading import Lock

from django.conf import settings
from redis import Redis

from nexus.api.errors import Problem
from nexus.api.throttling import WINDOW_S, window
from nexus.ops import redis

# An IPv6 customer owns a network of this length, and each address in it.
IPV6_PREFIX = 64

_local: Counter[str] = Counter()
_local_lock = Lock()


def refuse_after_too_many(account: str, address: str | None) -> None:
    """Raise Problem (429) when the account or the address has failed too often in this minute."""
    limits = _limits(account, address)
    counts = redis.guarded(lambda client: client.mget(list(limits)), default=None)
    if counts is None:
        reached = any(_local[key] >= limit for key, limit in limits.items())
    else:
        reached = any(int(count or 0) >= limit for count, limit in zip(counts, limits.values(), strict=True))
    if reached:
        wait = max(1, round(WINDOW_S - time.time() % WINDOW_S))
        raise Problem(
            "too_many_attempts",
            f"Signing in has failed too often. Try again in {wait} s.",
            status=429,
            headers={"Retry-After": str(wait)},
        )


def count_failure(account: str, address: str | None) -> None:
    """Take note of a failed sign-in."""
    keys = list(_limits(account, address))
    if redis.guarded(partial(_count, keys=keys), default=None) is None:
        _count_here(keys)


def _limits(account: str, address: str | None) -> dict[str, int]:
    """The limits that apply in this minute, by the key of their counter."""
    minute = window()
    # Addresses are personal data, and of any length: a digest does as well.
    digest = hashlib.blake2b(account.encode(), digest_size=16).hexdigest()
    limits = {f"failures:account:{digest}:{minute}": settings.LOGINS_PER_MINUTE_BY_ACCOUNT}
    if address:
        limits[f"failures:address:{_network(address)}:{minute}"] = settings.LOGINS_PER_MINUTE_BY_ADDRESS
    return limits


def _network(address: str) -> str:
    return str(ip_network(f"{address}/{IPV6_PREFIX}", strict=False)) if ":" in address else address


def _count(client: Redis, keys: list[str]) -> bool:
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.incr(key)
            pipeline.expire(key, WINDOW_S)
        pipeline.execute()
    return True


def _count_here(keys: list[str]) -> None:
    minute = f":{window()}"
    with _local_lock:
        for key in [key for key in _local if not key.endswith(minute)]:
            del _local[key]
        _local.update(keys)
