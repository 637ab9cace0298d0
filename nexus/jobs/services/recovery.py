"""Finding the work that nobody does, whatever has died. Safe at any time, in any number of places at once."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from nexus.api.errors import Conflict
from nexus.jobs import messages
from nexus.jobs.models import Chunk, Job
from nexus.jobs.services import lifecycle
from nexus.jobs.services.preparation import LOST
from nexus.jobs.services.working import put_back

logger = logging.getLogger(__name__)

# A message that nobody has taken by then is sent again.
UNSENT_AFTER = timedelta(seconds=10)


def recover() -> int:
    """Take back what dead workers hold, send the messages that are missing, and end what is over.

    Says how many jobs were woken.
    """
    now = timezone.now()
    expired = Chunk.objects.filter(status=Chunk.Status.RUNNING, leased_until__lt=now)
    _each(expired.select_related("job"), _take_back)
    unfinished = Job.objects.filter(status__in=Job.ACTIVE, created_at__lt=now - UNSENT_AFTER)
    return _each(unfinished, _wake)


def _each(rows: Iterable[Any], do: Callable[[Any], bool]) -> int:
    """Do something with every row, and count those that needed it; one that fails keeps the others from nothing."""
    number = 0
    for row in rows:
        try:
            number += do(row)
        except Exception:
            logger.exception("Something could not be recovered")
    return number


def _take_back(chunk: Chunk) -> bool:
    """Take a chunk from a worker that has died, and offer it again."""
    logger.warning("A worker was lost", extra={"job": str(chunk.job_id), "worker": chunk.leased_by})
    with lifecycle.on_behalf_of(chunk.job):
        put_back(chunk.job, chunk, LOST)
        messages.offer(chunk.job, 1)
    return True


def _wake(job: Job) -> bool:
    """Send the messages that a job lacks; end it when there is nothing left to send them for."""
    with transaction.atomic():
        locked = (
            Job.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk=job.pk, status__in=Job.ACTIVE)
            .first()
        )
        if locked is None:
            return False
        if locked.status == Job.Status.RUNNING or locked.cancel_requested_at:
            lifecycle.end_if_done(locked)
        if locked.is_finished:
            return False
        return _send_what_lacks(locked)


def _send_what_lacks(job: Job) -> bool:
    if job.status == Job.Status.QUEUED:
        messages.tell_workers(job, 1)
        return True
    offered = messages.offer_what_may_be(job)
    if job.prepared_at or job.is_leased():
        return offered > 0
    if job.attempts >= Chunk.MAX_ATTEMPTS:
        lifecycle.fail(job, Conflict("worker_lost", LOST))
        return False
    messages.tell_workers(job, 1)
    return True
