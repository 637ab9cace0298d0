"""Preparing: cutting a job into chunks, step by step.

A step is leased and counted like a chunk, before anything of it is done. Its chunks and the place where the next step
goes on are one short transaction, so that whatever dies costs one step, and other workers do the chunks of the steps
before. Between two steps the message goes to the end of the queue, and lets others pass.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone

from nexus.jobs import messages
from nexus.jobs.cancellation import Cancelled, watching
from nexus.jobs.kinds import Step, kind_of
from nexus.jobs.leases import heartbeat, lease_end, worker_name
from nexus.jobs.models import Chunk, Job, LogLine
from nexus.jobs.services import lifecycle

logger = logging.getLogger(__name__)

LOST = "The worker died or was cut off."


def claim(job: Job) -> bool:
    """Lease the next step of a job's preparation to this worker; False when there is none to be had."""
    free = Q(leased_until=None) | Q(leased_until__lt=timezone.now())
    before = job.leased_by
    claimed = Job.objects.filter(
        free,
        pk=job.pk,
        status=Job.Status.RUNNING,
        prepared_at=None,
        cancel_requested_at=None,
        attempts__lt=Chunk.MAX_ATTEMPTS,
    ).update(leased_by=worker_name(), leased_until=lease_end(), attempts=F("attempts") + 1)
    if claimed:
        job.refresh_from_db()
        if job.attempts > 1:
            message = f"Attempt {job.attempts - 1} at a step of the preparation failed: {LOST}"
            LogLine.write(job, message, LogLine.Level.WARNING, worker=before)
    return bool(claimed)


def prepare(job: Job) -> None:
    """Do a claimed step. A job that cannot be cut into chunks fails with the reason.

    A database that was away, or that broke a deadlock, is no such reason: then the step is done again, as a chunk is.
    """
    try:
        with heartbeat(lambda: _mine(job).update(leased_until=lease_end())), watching(job.pk):
            if not lifecycle.is_still_allowed(job):
                raise lifecycle.NotAllowed
            _keep(job)
    except Cancelled:
        _let_go(job)
    except (InterfaceError, OperationalError) as error:
        logger.exception("A step of a preparation failed", extra={"attempt": job.attempts})
        if job.attempts < Chunk.MAX_ATTEMPTS:
            _put_back(job)
        elif _mine(job).exists():
            lifecycle.fail(job, error)
    except Exception as error:
        logger.exception("A job could not be prepared")
        if _mine(job).exists():
            lifecycle.fail(job, error)


def _mine(job: Job) -> Any:
    """The row of a job as long as the step is this worker's: nobody else has begun it, or is at the next one."""
    return Job.objects.filter(
        pk=job.pk,
        status=Job.Status.RUNNING,
        prepared_at=None,
        leased_by=job.leased_by,
        attempts=job.attempts,
        leased_until__isnull=False,
    )


@transaction.atomic
def _keep(job: Job) -> None:
    step = kind_of(job).next_step
    if step is None:
        _advance(job, Step(_all_chunks(job), None))
        return
    found = step(job, job.prepared_to)
    _advance(job, Step(_numbered(job, found.chunks), found.after))


def _all_chunks(job: Job) -> Iterable[Chunk]:
    """What the kind cuts the job into, unless it was given in chunks."""
    return () if job.chunks.exists() else kind_of(job).prepare(job)


def _numbered(job: Job, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Chunks in their places after those that are saved."""
    last = job.chunks.order_by("position").last()
    position, first = (last.position + 1, last.first + last.size) if last else (0, 0)
    for chunk in chunks:
        chunk.position, chunk.first = position, first
        yield chunk
        position, first = position + 1, first + chunk.size


def _advance(job: Job, step: Step) -> None:
    """Save the chunks of a step, and where the next one goes on, unless the lease was lost meanwhile."""
    saved = lifecycle.save_chunks(step.chunks)
    locked = lifecycle.lock(job)
    if not _mine(job).exists():
        transaction.set_rollback(True)
        return
    locked.prepared, locked.prepared_to = locked.prepared + saved, step.after
    if step.after is None:
        _complete(locked)
    locked.total = max(locked.total, locked.prepared)
    locked.leased_until, locked.attempts = None, 0
    locked.save()
    messages.offer_what_may_be(locked)
    lifecycle.end_if_done(locked)
    if not (locked.is_finished or locked.prepared_at):
        messages.tell_workers(locked, 1)


def _complete(job: Job) -> None:
    job.prepared_at = timezone.now()
    chunks = job.chunks.count()
    if job.prepared or not chunks:
        job.total = job.prepared
    job.prepared = job.total
    LogLine.write(job, f"Cut into {chunks} chunks of {job.total} items.")


def _put_back(job: Job) -> None:
    """Leave the step to whoever is told of it next."""
    if _mine(job).update(leased_until=None):
        messages.tell_workers(job, 1)


def _let_go(job: Job) -> None:
    """Leave the preparation to whoever takes the job up again."""
    with transaction.atomic():
        locked = lifecycle.lock(job)
        locked.leased_until, locked.attempts = None, 0
        locked.save(update_fields=["leased_until", "attempts"])
        lifecycle.end_if_done(locked)
