"""How jobs begin and end, and what people do with them."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import pghistory
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.dispatch import Signal
from django.utils import timezone

from nexus.api.errors import Conflict, Forbidden, Problem
from nexus.jobs import messages
from nexus.jobs.cancellation import raise_if_cancelled
from nexus.jobs.kinds import Outcome, kind_of
from nexus.jobs.models import Chunk, Job, LogLine
from nexus.jobs.reasons import reason_for
from nexus.ops.context import current_request_id, current_user_id, work_context

logger = logging.getLogger(__name__)

# Chunks that are in memory together while a job is cut into them.
SAVED_AT_ONCE = 20


class NotAllowed(Forbidden):
    """The owner of a job may not have it done any more."""

    def __init__(self) -> None:
        super().__init__(
            "Whoever asked for the job may not do this any more: the account is closed, or has lost the role."
        )


# Sent when the end of a job has been committed; carries `job_id`. Rooms above this one wait for it.
job_finished = Signal()


def create_job(
    *, kind: str, purpose: str, parameters: dict[str, Any], user_id: int | None, total: int = 0
) -> Job:
    """Accept a job: its row is written, and workers hear of it once the transaction is committed.

    `total` is the number of items as far as it is known; preparing the job makes it exact. Without one the job counts
    as large until it is prepared. `purpose` begins the sentence that says why there is such a job.
    """
    job = Job.objects.create(
        kind=kind,
        parameters=parameters,
        created_by_id=user_id,
        total=total,
        reason=reason_for(purpose),
        request_id=current_request_id() or "",
    )
    messages.tell_workers(job, 1)
    return job


def save_chunks(chunks: Iterable[Chunk]) -> int:
    """Save the chunks of a job, a few in memory at a time; say how many items they hold together.

    Raises Cancelled when somebody asks the job to stop meanwhile.
    """
    total, remaining = 0, iter(chunks)
    while saved := Chunk.objects.bulk_create(islice(remaining, SAVED_AT_ONCE)):
        total += sum(chunk.size for chunk in saved)
        raise_if_cancelled()
    return total


@contextmanager
def on_behalf_of(job: Job) -> Iterator[None]:
    """Work for a job: log lines and history name it, its owner, and the request that asked for it."""
    with (
        work_context(request_id=job.request_id or None, user=job.created_by_id, job=job.pk),
        pghistory.context(
            source="job", job=str(job.pk), user=job.created_by_id, request_id=job.request_id or None
        ),
    ):
        yield


def lock(job: Job) -> Job:
    """The job as it is, locked: nobody else begins a chunk of it or ends it until the transaction is over.

    Results may be written meanwhile: they refer to the job, and do not wait for this kind of lock.
    """
    return Job.objects.select_for_update(no_key=True).get(pk=job.pk)


def begin(job: Job) -> bool:
    """Let a queued job run, or fail it where its owner may not have it done any more.

    Of several workers that try at once, one does it.
    """
    with transaction.atomic():
        job = lock(job)
        if job.status != Job.Status.QUEUED:
            return False
        if not is_still_allowed(job):
            fail(job, NotAllowed())
            return True
        job.status, job.started_at = Job.Status.RUNNING, job.started_at or timezone.now()
        job.save(update_fields=["status", "started_at"])
        LogLine.write(job, "Started.")
        messages.offer(job, messages.PARALLEL)
        end_if_done(job)
    return True


def is_still_allowed(job: Job) -> bool:
    """Whether the owner of a job may have it done now; what commands ask for has no owner."""
    return job.created_by is None or kind_of(job).is_allowed_to(job.created_by, job)


def describe(error: Exception) -> str:
    """What the owner of a job may know of an error: no SQL and no path. The log has the rest."""
    if isinstance(error, Problem):
        return str(error.detail)[:1000]
    return f"Something went wrong on the server ({type(error).__name__})."


def count(job: Job, chunks: QuerySet[Chunk], outcome: Outcome, status: str, reason: str = "") -> bool:
    """End a chunk and add it to the progress of its job; say whether it was still there to be ended."""
    with transaction.atomic():
        # The job's row comes first: whoever ends the last chunks at the same time does so one after the other.
        locked = lock(job)
        ended = chunks.update(
            status=status,
            leased_until=None,
            succeeded=outcome.succeeded,
            failed=outcome.failed,
            error=reason,
        )
        if not ended:
            return False
        locked.succeeded += outcome.succeeded
        locked.failed += outcome.failed
        locked.processed = locked.succeeded + locked.failed
        locked.save(update_fields=["processed", "succeeded", "failed"])
        end_if_done(locked)
        return True


def end_if_done(job: Job) -> None:
    """End a locked job when nothing of it is left to do: its chunks are counted, messages are not believed."""
    if job.is_finished:
        # It failed while a last chunk was under way.
        return
    if job.cancel_requested_at:
        if not job.is_in_work():
            _end(job, Job.Status.CANCELLED)
    elif job.prepared_at and not Chunk.objects.open_of(job).exists():
        status = _final_status(job)
        _end(job, status, _first_error(job) if status == Job.Status.FAILED else "")


def _first_error(job: Job) -> str:
    """Why the first of the chunks that were set aside was; empty where no chunk was, but all of its items failed."""
    failed = job.chunks.filter(status=Chunk.Status.FAILED).order_by("position")
    return failed.values_list("error", flat=True).first() or ""


def _final_status(job: Job) -> str:
    if not job.failed:
        return Job.Status.SUCCEEDED
    return Job.Status.PARTIALLY_FAILED if job.succeeded else Job.Status.FAILED


def _end(job: Job, status: str, error: str = "") -> None:
    if status not in Job.TRANSITIONS[Job.Status(job.status)]:
        raise Conflict("job_state", f"A job that is {job.status} cannot become {status}.")
    job.status, job.finished_at, job.error = status, timezone.now(), error
    job.save(update_fields=["status", "finished_at", "error"])
    level = LogLine.Level.INFO if status == Job.Status.SUCCEEDED else LogLine.Level.WARNING
    LogLine.write(
        job, f"Ended as {job.get_status_display()}: {job.succeeded} well, {job.failed} failed. {error}", level
    )
    kind_of(job).finish(job)
    transaction.on_commit(partial(job_finished.send_robust, sender=Job, job_id=job.pk))
    logger.info("Job ended", extra={"kind": job.kind, "status": status, "total": job.total})


def fail(job: Job, error: Exception) -> None:
    """End a job that cannot be done at all."""
    with transaction.atomic():
        job = lock(job)
        if not job.is_finished:
            _end(job, Job.Status.FAILED, describe(error))


def cancel(job: Job) -> Job:
    """Ask a job to stop; what is done stays. Raises Conflict when it has ended already."""
    with transaction.atomic():
        job = lock(job)
        if job.is_finished:
            raise Conflict("job_finished", f"The job has ended already: it is {job.status}.")
        if job.cancel_requested_at is None:
            job.cancel_requested_at = timezone.now()
            job.save(update_fields=["cancel_requested_at"])
            LogLine.write(job, "Asked to stop.", user_id=current_user_id())
        end_if_done(job)
    return job


def retry(job: Job) -> Job:
    """Take up again what failed or was not done. Raises Conflict when there is no such thing."""
    with transaction.atomic():
        job = lock(job)
        if Job.Status.QUEUED not in Job.TRANSITIONS[Job.Status(job.status)]:
            raise Conflict("nothing_to_retry", f"The job is {job.status}: nothing of it failed or was left.")
        kind_of(job).before_retry(job)
        _open_again(job)
        done = job.chunks.aggregate(succeeded=Sum("succeeded", default=0), failed=Sum("failed", default=0))
        job.succeeded, job.failed = done["succeeded"], done["failed"]
        job.processed = job.succeeded + job.failed
        job.status, job.error, job.attempts, job.leased_until = Job.Status.QUEUED, "", 0, None
        # The pace that the rest is estimated by begins anew.
        job.processed_before, job.started_at = job.processed, None
        job.finished_at = job.cancel_requested_at = None
        job.save()
        LogLine.write(job, "Taken up again.", user_id=current_user_id())
        messages.tell_workers(job, 1)
    return job


def _open_again(job: Job) -> None:
    undone = Q(failed__gt=0) | Q(status__in=[Chunk.Status.FAILED, Chunk.Status.PENDING])
    Chunk.objects.filter(undone, job=job).update(
        status=Chunk.Status.PENDING, attempts=0, succeeded=0, failed=0, error="", offered_until=None
    )
