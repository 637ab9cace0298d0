"""How many requests were answered in the last five minutes, and how fast, over all server processes.

Each process counts its own in a histogram, and every two seconds a thread of its own adds what came together
to the ten-second slots in Redis that all of them share. The buckets of the histogram are an eighth of a
doubling wide, so a percentile read from it is within 5 %.
"""

import math
import os
import time
from collections import Counter
from threading import Lock, Thread
from typing import TypedDict

import redis

from nexus.ops.redis import guarded

SLOT_S = 10
WINDOW_S = 300
FLUSH_S = 2.0
KEY = "nexus:ops:requests:%d"
BUCKETS_PER_DOUBLING = 8
# From 60 microseconds to 17 minutes.
LOWEST, HIGHEST = -4 * BUCKETS_PER_DOUBLING, 20 * BUCKETS_PER_DOUBLING


class RequestRate(TypedDict):
    """The requests of the last five minutes; None where Redis does not answer or nothing was asked."""

    rate_per_s: float | None
    p50_ms: float | None
    p95_ms: float | None


class Tally:
    """The requests of this process that Redis does not know of yet, as counts by slot and bucket."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, int]] = Counter()
        self._lock = Lock()
        self._thread: Thread | None = None

    def add(self, seconds: float) -> None:
        """Count one request. The first starts the thread, so that it belongs to the process that serves."""
        key = int(time.time()) // SLOT_S, bucket_of(seconds)
        with self._lock:
            self._counts[key] += 1
            if self._thread is None:
                self._thread = Thread(target=self._flush_for_ever, name="request-tally", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Add the counts to those in Redis; if it does not answer they are lost, not being worth more."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts:
            guarded(lambda client: _add(client, counts), default=None)

    def _flush_for_ever(self) -> None:
        while True:
            time.sleep(FLUSH_S)
            self.flush()


def _add(client: redis.Redis, counts: Counter[tuple[int, int]]) -> None:
    pipeline = client.pipeline(transaction=False)
    for (slot, bucket), count in counts.items():
        pipeline.hincrby(KEY % slot, str(bucket), count)
    for slot in {slot for slot, _ in counts}:
        pipeline.expire(KEY % slot, WINDOW_S + 2 * SLOT_S)
    pipeline.execute()


def bucket_of(seconds: float) -> int:
    """The number of the bucket that a duration falls into."""
    exponent = math.log2(max(seconds * 1000, 1e-9)) * BUCKETS_PER_DOUBLING
    return min(max(math.floor(exponent), LOWEST), HIGHEST)


def milliseconds_of(bucket: int) -> float:
    """The middle of a bucket."""
    return round(2.0 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING), 2)


def recent() -> RequestRate:
    """The requests of the last five minutes, over all server processes."""
    tally.flush()
    newest = int(time.time()) // SLOT_S
    slots = [KEY % (newest - age) for age in range(WINDOW_S // SLOT_S)]
    found = guarded(lambda client: _read(client, slots), default=None)
    if found is None:
        return {"rate_per_s": None, "p50_ms": None, "p95_ms": None}
    return {
        "rate_per_s": round(found.total() / WINDOW_S, 2),
        "p50_ms": percentile(found, 0.50),
        "p95_ms": percentile(found, 0.95),
    }


def _read(client: redis.Redis, keys: list[str]) -> Counter[int]:
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.hgetall(key)
    counts: Counter[int] = Counter()
    for slot in pipeline.execute():
        counts.update({int(bucket): int(count) for bucket, count in slot.items()})
    return counts


def percentile(counts: Counter[int], share: float) -> float | None:
    """The milliseconds that `share` of the counted requests stayed below; None if there are none."""
    rank, seen = share * counts.total(), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return milliseconds_of(bucket)
    return None


tally = Tally()


def _begin_anew() -> None:
    global tally
    tally = Tally()


os.register_at_fork(after_in_child=_begin_anew)
