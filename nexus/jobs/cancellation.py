"""How long work hears that its job was asked to stop."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from nexus.jobs.models import Job

# Between two looks at the row of the job.
PAUSE_S = 1.0


class Cancelled(Exception):  # noqa: N818 - nothing has gone wrong
    """Somebody has asked the job at work to stop."""


@dataclass(slots=True)
class _Watch:
    """The job that this thread works for, and when it was last asked about."""

    job_id: Any
    asked_at: float


_watch: ContextVar[_Watch | None] = ContextVar("watched_job", default=None)


@contextmanager
def watching(job_id: Any) -> Iterator[None]:
    """Have `raise_if_cancelled` look at this job while the block runs."""
    token = _watch.set(_Watch(job_id, time.monotonic()))
    try:
        yield
    finally:
        _watch.reset(token)


def raise_if_cancelled() -> None:
    """Raise Cancelled when the job at work was asked to stop.

    For kinds to call, as often as they like, wherever what they have done so far can be left: it asks the database
    once a second at most, and nothing outside of jobs. The chunk is then neither done nor failed.
    """
    watch = _watch.get()
    if watch is None or time.monotonic() - watch.asked_at < PAUSE_S:
        return
    watch.asked_at = time.monotonic()
    if Job.objects.filter(pk=watch.job_id, cancel_requested_at__isnull=False).exists():
        raise Cancelled
