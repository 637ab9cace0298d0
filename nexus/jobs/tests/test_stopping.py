"""Chunks that are stopped in the middle, and chunks that stop their worker."""

import os
import signal
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from nexus.jobs import cancellation, kinds, services
from nexus.jobs.kinds import JobKind, Outcome
from nexus.jobs.models import Chunk, Job, LogLine
from nexus.jobs.tests.conftest import Counting, MakeJob, work_off


@pytest.fixture
def long_work(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks in the middle of which somebody cancels their job."""
    monkeypatch.setattr(cancellation, "PAUSE_S", 0.0)

    def work(job: Job, chunk: Chunk) -> Outcome:
        services.cancel(Job.objects.get(pk=job.pk))
        cancellation.raise_if_cancelled()
        raise AssertionError("it was not stopped")

    kind = JobKind(name="count", prepare=counting.prepare, work=work, give_up=counting.give_up)
    monkeypatch.setitem(kinds._kinds, "count", kind)


@pytest.mark.django_db
@pytest.mark.usefixtures("long_work")
def test_a_chunk_is_stopped_in_the_middle_and_has_not_failed(make_job: MakeJob) -> None:
    job = work_off(make_job(25))
    assert (job.status, job.processed, job.failed) == ("cancelled", 0, 0)
    assert set(job.chunks.values_list("status", "attempts")) == {("pending", 0)}


@pytest.mark.django_db
def test_work_outside_of_a_job_is_never_stopped() -> None:
    cancellation.raise_if_cancelled()


@pytest.mark.django_db
def test_the_row_of_the_job_is_not_asked_again_and_again(
    make_job: MakeJob, django_assert_num_queries: object
) -> None:
    with cancellation.watching(make_job().pk), django_assert_num_queries(0):  # type: ignore[operator]
        for _ in range(100):
            cancellation.raise_if_cancelled()


@pytest.mark.django_db(transaction=True)
def test_a_chunk_that_has_its_worker_killed_is_set_aside_and_the_rest_is_done(
    make_job: MakeJob, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(job: Job, chunk: Chunk) -> Outcome:
        if chunk.position == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return counting.work(job, chunk)

    kind = JobKind(name="count", prepare=counting.prepare, work=work, give_up=counting.give_up)
    monkeypatch.setitem(kinds._kinds, "count", kind)
    job = make_job(25)
    for _ in range(Chunk.MAX_ATTEMPTS):
        assert killed_by(job) == signal.SIGKILL
        Chunk.objects.filter(status="running").update(leased_until=timezone.now() - timedelta(seconds=1))
        services.recover()
    job = work_off(job)
    assert (job.status, job.succeeded, job.failed) == ("partially_failed", 15, 10)
    aside = job.chunks.get(status="failed")
    assert (aside.position, aside.attempts, aside.error) == (1, 3, "The worker died or was cut off.")
    said = LogLine.objects.get(job=job, level="error")
    assert (said.chunk, said.message) == (1, "Set aside after 3 attempts: The worker died or was cut off.")


def killed_by(job: Job) -> int:
    """The signal that ended a worker process which worked on a job."""
    connection.close()
    pid = os.fork()
    if pid == 0:
        try:
            work_off(job)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) * -1
