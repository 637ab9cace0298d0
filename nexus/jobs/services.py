"""The life of a job: created, prepared, worked off chunk by chunk, ended by counting, cancelled, retried, recovered.

Messages to workers only say that there is something to do. A worker that gets one claims the next chunk in the
database; when it is done it passes the message on. So a job of a million items gives way to a small one after every
chunk, and any message may be lost or come twice.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

import pghistory
from django.db import transaction
from django.db.models import F, Q, Sum
from django.dispatch import Signal
from django.utils import timezone

from nexus.api.errors import Conflict, Problem
from nexus.jobs import messages
from nexus.jobs.kinds import Outcome, kind_of
from nexus.jobs.leases import heartbeat, lease_end, worker_name
from nexus.jobs.models import Chunk, Job
from nexus.ops.context import current_request_id, work_context

logger = logging.getLogger(__name__)

# How many chunks of one job may be under way at once, on all workers together.
PARALLEL = 16
# Chunks that are in memory together while a job is cut into them.
SAVED_AT_ONCE = 20
# A message that nobody has taken by then is sent again by the sweeper.
UNSENT_AFTER = timedelta(seconds=10)

# Sent when the end of a job has been committed; carries `job_id`. Rooms above this one wait for it.
job_finished = Signal()


def create_job(*, kind: str, parameters: dict[str, Any], user_id: int | None, total: int = 0) -> Job:
    """Accept a job: its row is written, and workers hear of it once the transaction is committed.

    `total` is the number of items as far as it is known; preparing the job makes it exact.
    """
    job = Job.objects.create(
        kind=kind,
        parameters=parameters,
        created_by_id=user_id,
        total=total,
        request_id=current_request_id() or "",
    )
    _tell_workers(job, 1)
    return job


def work_on(job_id: Any) -> bool:
    """Do what is to be done next for a job; say whether there is more."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None or job.is_finished:
        return False
    with _on_behalf_of(job):
        if job.status == Job.Status.QUEUED:
            return prepare(job)
        chunk = claim(job)
        if chunk is None:
            return False
        run(job, chunk)
    return Chunk.objects.filter(job=job, status=Chunk.Status.PENDING).exists()


@contextmanager
def _on_behalf_of(job: Job) -> Iterator[None]:
    with (
        work_context(request_id=job.request_id or None, user=job.created_by_id, job=job.pk),
        pghistory.context(
            source="job", job=str(job.pk), user=job.created_by_id, request_id=job.request_id or None
        ),
    ):
        yield


def prepare(job: Job) -> bool:
    """Cut a queued job into chunks and start it; say whether there is anything to do.

    Of several workers that try at once, one does it.
    """
    try:
        with transaction.atomic():
            job = Job.objects.select_for_update().get(pk=job.pk)
            if job.status != Job.Status.QUEUED:
                return False
            if not job.chunks.exists():
                _cut_into_chunks(job)
            job.status, job.started_at = Job.Status.RUNNING, job.started_at or timezone.now()
            job.save(update_fields=["status", "started_at", "total"])
            _tell_workers(job, min(PARALLEL, _open_chunks(job).count()))
            _end_if_done(job)
    except Exception as error:
        logger.exception("A job could not be prepared")
        fail(job, error)
    return False


def _cut_into_chunks(job: Job) -> None:
    job.total = save_chunks(kind_of(job).prepare(job))


def save_chunks(chunks: Iterable[Chunk]) -> int:
    """Save the chunks of a job, a few in memory at a time; say how many items they hold together."""
    total, remaining = 0, iter(chunks)
    while saved := Chunk.objects.bulk_create(islice(remaining, SAVED_AT_ONCE)):
        total += sum(chunk.size for chunk in saved)
    return total


def claim(job: Job) -> Chunk | None:
    """The next chunk of a running job, leased to this worker; None when there is none to be had."""
    with transaction.atomic():
        # Locked, so that no chunk begins while somebody ends the job.
        locked = Job.objects.select_for_update().get(pk=job.pk)
        if locked.status != Job.Status.RUNNING or locked.cancel_requested_at:
            return None
        chunk = (
            Chunk.objects.select_for_update(skip_locked=True)
            .filter(job=job, status=Chunk.Status.PENDING)
            .order_by("position")
            .first()
        )
        if chunk is None:
            return None
        chunk.status, chunk.attempts = Chunk.Status.RUNNING, chunk.attempts + 1
        chunk.leased_by, chunk.leased_until = worker_name(), lease_end()
        chunk.save(update_fields=["status", "attempts", "leased_by", "leased_until"])
        return chunk


def run(job: Job, chunk: Chunk) -> None:
    """Do a claimed chunk. A failure sends it back to the others, and at the third time sets it aside."""
    try:
        with heartbeat(lambda: _mine(chunk).update(leased_until=lease_end())):
            outcome = kind_of(job).work(job, chunk)
    except Exception as error:
        logger.exception("A chunk failed", extra={"chunk": chunk.position, "attempt": chunk.attempts})
        _put_back(job, chunk, _describe(error))
    else:
        _close(job, chunk, outcome, Chunk.Status.DONE)


def _mine(chunk: Chunk) -> Any:
    return Chunk.objects.filter(
        pk=chunk.pk, status=Chunk.Status.RUNNING, leased_by=chunk.leased_by, attempts=chunk.attempts
    )


def _describe(error: Exception) -> str:
    """What the owner of a job may know of an error: no SQL and no path. The log has the rest."""
    if isinstance(error, Problem):
        return str(error.detail)[:1000]
    return f"Something went wrong on the server ({type(error).__name__})."


def _put_back(job: Job, chunk: Chunk, reason: str) -> None:
    if chunk.attempts < Chunk.MAX_ATTEMPTS:
        _mine(chunk).update(status=Chunk.Status.PENDING, leased_until=None, error=reason)
        return
    _close(job, chunk, _give_up(job, chunk, reason), Chunk.Status.FAILED, reason)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    """Have the kind record the items of a chunk as failed; where it cannot, they are counted all the same."""
    try:
        with transaction.atomic():
            return kind_of(job).give_up(job, chunk, reason)
    except Exception:
        logger.exception("The items of a chunk could not be recorded as failed")
        return Outcome(succeeded=0, failed=chunk.size)


def _close(job: Job, chunk: Chunk, outcome: Outcome, status: str, reason: str = "") -> None:
    """Count a chunk that has ended, unless its lease was lost and somebody else counts it."""
    with transaction.atomic():
        # The job's row comes first: whoever ends the last chunks at the same time does so one after the other.
        Job.objects.select_for_update().get(pk=job.pk)
        counted = _mine(chunk).update(
            status=status,
            leased_until=None,
            succeeded=outcome.succeeded,
            failed=outcome.failed,
            error=reason,
        )
        if not counted:
            return
        Job.objects.filter(pk=job.pk).update(
            processed=F("processed") + outcome.succeeded + outcome.failed,
            succeeded=F("succeeded") + outcome.succeeded,
            failed=F("failed") + outcome.failed,
        )
        job.refresh_from_db()
        _end_if_done(job)


def _open_chunks(job: Job) -> Any:
    return Chunk.objects.filter(job=job, status__in=[Chunk.Status.PENDING, Chunk.Status.RUNNING])


def _end_if_done(job: Job) -> None:
    """End a locked job when nothing of it is left to do: its chunks are counted, messages are not believed."""
    if job.cancel_requested_at and not Chunk.objects.filter(job=job, status=Chunk.Status.RUNNING).exists():
        _end(job, Job.Status.CANCELLED)
    elif not _open_chunks(job).exists():
        _end(job, _final_status(job))


def _final_status(job: Job) -> str:
    if not job.failed:
        return Job.Status.SUCCEEDED
    return Job.Status.PARTIALLY_FAILED if job.succeeded else Job.Status.FAILED


def _end(job: Job, status: str, error: str = "") -> None:
    if status not in Job.TRANSITIONS[Job.Status(job.status)]:
        raise Conflict("job_state", f"A job that is {job.status} cannot become {status}.")
    job.status, job.finished_at, job.error = status, timezone.now(), error
    job.save(update_fields=["status", "finished_at", "error"])
    kind_of(job).finish(job)
    transaction.on_commit(partial(job_finished.send_robust, sender=Job, job_id=job.pk))
    logger.info("Job ended", extra={"kind": job.kind, "status": status, "total": job.total})


def fail(job: Job, error: Exception) -> None:
    """End a job that cannot be done at all."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if not job.is_finished:
            _end(job, Job.Status.FAILED, _describe(error))


def cancel(job: Job) -> Job:
    """Ask a job to stop; what is done stays. Raises Conflict when it has ended already."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if job.is_finished:
            raise Conflict("job_finished", f"The job has ended already: it is {job.status}.")
        job.cancel_requested_at = job.cancel_requested_at or timezone.now()
        job.save(update_fields=["cancel_requested_at"])
        _end_if_done(job)
    return job


def retry(job: Job) -> Job:
    """Take up again what failed or was not done. Raises Conflict when there is no such thing."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if Job.Status.QUEUED not in Job.TRANSITIONS[Job.Status(job.status)]:
            raise Conflict("nothing_to_retry", f"The job is {job.status}: nothing of it failed or was left.")
        kind_of(job).before_retry(job)
        Chunk.objects.filter(job=job).filter(Q(failed__gt=0) | Q(status=Chunk.Status.FAILED)).update(
            status=Chunk.Status.PENDING, attempts=0, succeeded=0, failed=0, error=""
        )
        done = job.chunks.aggregate(succeeded=Sum("succeeded", default=0), failed=Sum("failed", default=0))
        job.succeeded, job.failed = done["succeeded"], done["failed"]
        job.processed = job.succeeded + job.failed
        job.status, job.error = Job.Status.QUEUED, ""
        # The pace that the rest is estimated by begins anew.
        job.started_at = job.finished_at = job.cancel_requested_at = None
        job.save()
        _tell_workers(job, 1)
    return job


def recover() -> int:
    """Find work that nobody does: unsent jobs, and chunks whose worker has died. Says how many jobs were woken.

    Safe to run at any time and in any number of places at once.
    """
    now = timezone.now()
    expired = Chunk.objects.filter(status=Chunk.Status.RUNNING, leased_until__lt=now)
    _each(expired.select_related("job"), _take_back)
    unfinished = Job.objects.filter(status__in=Job.ACTIVE, created_at__lt=now - UNSENT_AFTER)
    return _each(unfinished, _wake)


def _each(rows: Iterable[Any], do: Callable[[Any], bool]) -> int:
    """Do something with every row, and count those that needed it; one that fails keeps the others from nothing."""
    count = 0
    for row in rows:
        try:
            count += do(row)
        except Exception:
            logger.exception("Something could not be recovered")
    return count


def _take_back(chunk: Chunk) -> bool:
    """Take a chunk from a worker that has died, and send the message that died with it again."""
    logger.warning("A worker was lost", extra={"job": str(chunk.job_id), "worker": chunk.leased_by})
    with _on_behalf_of(chunk.job):
        _put_back(chunk.job, chunk, "The worker died or was cut off.")
        _tell_workers(chunk.job, 1)
    return True


def _wake(job: Job) -> bool:
    """Send the messages that a job lacks; end it when there is nothing left to send them for."""
    with transaction.atomic():
        locked = (
            Job.objects.select_for_update(skip_locked=True).filter(pk=job.pk, status__in=Job.ACTIVE).first()
        )
        if locked is None:
            return False
        if locked.status == Job.Status.RUNNING:
            _end_if_done(locked)
        if locked.is_finished:
            return False
        missing = 1 if locked.status == Job.Status.QUEUED else _missing_messages(locked)
        _tell_workers(locked, missing)
        return missing > 0


def _missing_messages(job: Job) -> int:
    """None while a chunk is under way: its message is passed on, and more of them would only make others wait."""
    if Chunk.objects.filter(job=job, status=Chunk.Status.RUNNING).exists():
        return 0
    return min(PARALLEL, Chunk.objects.filter(job=job, status=Chunk.Status.PENDING).count())


def pass_on(job_id: Any) -> None:
    """Send the message of a job on to whichever worker is free."""
    job = Job.objects.only("kind").filter(pk=job_id).first()
    if job is not None:
        _tell_workers(job, 1)


def _tell_workers(job: Job, times: int) -> None:
    for _ in range(times):
        transaction.on_commit(partial(messages.send, job.pk, **kind_of(job).message_options()))
