"""What a worker does with the message of a job."""

import logging
from typing import Any

from django.db import transaction

from nexus.jobs import messages
from nexus.jobs.cancellation import Cancelled, watching
from nexus.jobs.kinds import Outcome, kind_of
from nexus.jobs.leases import heartbeat, lease_end, worker_name
from nexus.jobs.models import Chunk, Job, LogLine
from nexus.jobs.services import lifecycle, preparation

logger = logging.getLogger(__name__)


def work_on(job_id: Any) -> bool:
    """Do what is to be done next for a job: begin it, a step of its preparation, or a chunk.

    Says whether something was done, so that there may be more.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None or job.is_finished:
        return False
    with lifecycle.on_behalf_of(job):
        began = lifecycle.begin(job)
        if job.prepared_at is None and preparation.claim(job):
            preparation.prepare(job)
            return True
        return began or _do_chunk(job)


def _do_chunk(job: Job) -> bool:
    chunk = claim(job)
    if chunk is None:
        return False
    run(job, chunk)
    messages.offer(job, 1)
    return True


def claim(job: Job) -> Chunk | None:
    """The next chunk of a running job, leased to this worker; None when there is none to be had."""
    with transaction.atomic():
        # Locked, so that no chunk begins while somebody ends the job.
        locked = lifecycle.lock(job)
        if locked.status != Job.Status.RUNNING or locked.cancel_requested_at:
            return None
        chunk = Chunk.objects.next_of(job).first()
        if chunk is None:
            return None
        if not lifecycle.is_still_allowed(locked):
            lifecycle.fail(locked, lifecycle.NotAllowed())
            return None
        chunk.status, chunk.attempts, chunk.offered_until = Chunk.Status.RUNNING, chunk.attempts + 1, None
        chunk.leased_by, chunk.leased_until = worker_name(), lease_end()
        chunk.save(update_fields=["status", "attempts", "offered_until", "leased_by", "leased_until"])
        return chunk


def run(job: Job, chunk: Chunk) -> None:
    """Do a claimed chunk. A failure sends it back to the others, and at the third time sets it aside."""
    try:
        with heartbeat(lambda: _mine(chunk).update(leased_until=lease_end())), watching(job.pk):
            outcome = kind_of(job).work(job, chunk)
    except Cancelled:
        _release(job, chunk)
    except Exception as error:
        logger.exception("A chunk failed", extra={"chunk": chunk.position, "attempt": chunk.attempts})
        put_back(job, chunk, lifecycle.describe(error))
    else:
        lifecycle.count(job, _mine(chunk), outcome, Chunk.Status.DONE)


def _mine(chunk: Chunk) -> Any:
    return Chunk.objects.filter(
        pk=chunk.pk, status=Chunk.Status.RUNNING, leased_by=chunk.leased_by, attempts=chunk.attempts
    )


def _release(job: Job, chunk: Chunk) -> None:
    """Leave a chunk that was stopped in the middle to whoever takes the job up again; it has not failed."""
    with transaction.atomic():
        locked = lifecycle.lock(job)
        _mine(chunk).update(
            status=Chunk.Status.PENDING, leased_until=None, offered_until=None, attempts=chunk.attempts - 1
        )
        lifecycle.end_if_done(locked)


def put_back(job: Job, chunk: Chunk, reason: str) -> None:
    """Give a chunk to another worker; one that was given away too often is set aside with the reason."""
    if chunk.attempts < Chunk.MAX_ATTEMPTS:
        given = _mine(chunk).update(status=Chunk.Status.PENDING, leased_until=None, error=reason)
        _tell(job, chunk, f"Attempt {chunk.attempts} failed: {reason}", LogLine.Level.WARNING, given)
        return
    outcome = _give_up(job, chunk, reason)
    ended = lifecycle.count(job, _mine(chunk), outcome, Chunk.Status.FAILED, reason)
    _tell(job, chunk, f"Set aside after {chunk.attempts} attempts: {reason}", LogLine.Level.ERROR, ended)


def _tell(job: Job, chunk: Chunk, message: str, level: str, happened: Any) -> None:
    """Write what happened to a chunk, unless its lease was lost and it happened to nobody."""
    if happened:
        LogLine.write(job, message, level, chunk=chunk.position, worker=chunk.leased_by)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    """Have the kind record the items of a chunk as failed; where it cannot, they are counted all the same."""
    try:
        with transaction.atomic():
            return kind_of(job).give_up(job, chunk, reason)
    except Exception:
        logger.exception("The items of a chunk could not be recorded as failed")
        return Outcome(succeeded=0, failed=chunk.size)
