"""Jobs of which nobody knows beforehand what they are about: cut into chunks step by step."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from nexus.jobs import cancellation, kinds, services
from nexus.jobs.kinds import JobKind, Outcome, Step
from nexus.jobs.models import Chunk, Job, LogLine
from nexus.jobs.services import lifecycle, preparation
from nexus.jobs.tests.conftest import work_off

pytestmark = pytest.mark.django_db


class Stepping:
    """Thirty numbers, ten in a step, five in a chunk."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.before_step: Callable[[Job], object] = lambda job: None

    def next_step(self, job: Job, after: Any) -> Step:
        self.before_step(job)
        first = after or 0
        self.steps.append(first)
        chunks = [Chunk(job=job, size=5) for _ in range(2)]
        return Step(chunks, first + 10 if first < 20 else None)


@pytest.fixture
def stepping() -> Iterator[Stepping]:
    stepping = Stepping()
    kinds.register(
        JobKind(
            name="step",
            next_step=stepping.next_step,
            work=lambda job, chunk: Outcome(chunk.size, 0),
            give_up=lambda job, chunk, reason: Outcome(0, chunk.size),
        )
    )
    yield stepping
    del kinds._kinds["step"]


@pytest.fixture
def job(stepping: Stepping) -> Job:
    return services.create_job(kind="step", purpose="Steps", parameters={}, user_id=None, total=25)


def lease_runs_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    job.refresh_from_db()


def begun(job: Job) -> Job:
    """The job as a worker has it who was killed in a step."""
    lifecycle.begin(job)
    job.refresh_from_db()
    assert preparation.claim(job)
    return job


def test_a_step_whose_database_was_away_is_done_again_and_at_the_third_time_fails(
    job: Job, stepping: Stepping
) -> None:
    away = [OperationalError("The server has closed the connection.")] * 2

    def fails(job: Job) -> None:
        if away:
            raise away.pop()

    stepping.before_step = fails
    assert work_off(job).status == "succeeded"
    assert not away

    away.extend([OperationalError("The server has closed the connection.")] * 3)
    again = work_off(services.create_job(kind="step", purpose="Steps", parameters={}, user_id=None))
    assert (again.status, again.error) == (
        "failed",
        "Something went wrong on the server (OperationalError).",
    )


@pytest.mark.django_db(transaction=True)
def test_a_step_that_ends_after_its_job_has_failed_leaves_nothing(job: Job, stepping: Stepping) -> None:
    def fail_elsewhere(job: Job) -> None:
        lifecycle.fail(job, RuntimeError("The worker was taken for dead."))
        connection.close()

    def fails(job: Job) -> None:
        other = threading.Thread(target=fail_elsewhere, args=[job])
        other.start()
        other.join()

    stepping.before_step = fails
    job = work_off(job)
    assert (job.status, job.prepared, job.chunks.count()) == ("failed", 0, 0)


def test_it_is_cut_in_steps_and_its_items_are_numbered_through(job: Job, stepping: Stepping) -> None:
    job = work_off(job)
    assert stepping.steps == [0, 10, 20]
    assert (job.status, job.total, job.prepared, job.processed) == ("succeeded", 30, 30, 30)
    chunks = job.chunks.values_list("position", "first")
    assert list(chunks) == [(position, position * 5) for position in range(6)]


def test_it_shows_how_much_of_it_is_prepared(job: Job) -> None:
    services.work_on(job.pk)
    job.refresh_from_db()
    assert (job.status, job.prepared, job.total, job.prepared_at) == ("running", 10, 25, None)


def test_others_work_on_its_first_chunks_while_one_prepares_the_rest(job: Job) -> None:
    services.work_on(job.pk)
    job.refresh_from_db()
    assert preparation.claim(job)
    assert services.work_on(job.pk)
    job.refresh_from_db()
    assert (job.processed, job.prepared_at) == (5, None)


def test_it_does_not_end_before_it_is_prepared(job: Job) -> None:
    services.work_on(job.pk)
    for chunk in (services.claim(job), services.claim(job)):
        assert chunk
        services.run(job, chunk)
    job.refresh_from_db()
    assert (job.status, job.processed) == ("running", 10)


def test_a_step_whose_worker_died_is_done_again_from_where_it_began(job: Job, stepping: Stepping) -> None:
    services.work_on(job.pk)
    job.refresh_from_db()
    assert preparation.claim(job)
    lease_runs_out(job)
    services.recover()
    assert work_off(job).status == "succeeded"
    assert stepping.steps == [0, 10, 20]
    assert job.chunks.count() == 6
    assert job.log_lines.filter(message__startswith="Attempt 1 at a step").count() == 1


def test_a_worker_that_comes_back_late_adds_no_chunks(job: Job) -> None:
    late = begun(job)
    Job.objects.filter(pk=job.pk).update(leased_until=None)
    work_off(Job.objects.get(pk=job.pk))
    preparation.prepare(late)
    assert job.chunks.count() == 6


def test_a_worker_that_comes_back_when_others_are_at_the_next_step_adds_no_chunks(
    job: Job, stepping: Stepping, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = begun(job)
    Job.objects.filter(pk=job.pk).update(leased_until=None, attempts=0)
    services.work_on(job.pk)
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "worker_name", lambda: "another")
        assert preparation.claim(Job.objects.get(pk=job.pk))
    preparation.prepare(late)
    assert (stepping.steps, job.chunks.count()) == ([0, 0], 2)


def test_a_job_that_kills_whoever_prepares_it_fails_at_the_third_time(job: Job) -> None:
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    for _ in range(Chunk.MAX_ATTEMPTS):
        begun(job)
        lease_runs_out(job)
    assert not services.work_on(job.pk)
    services.recover()
    job.refresh_from_db()
    assert job.status == "failed"
    assert "worker died" in job.error


def test_cancelling_waits_for_the_step_and_then_ends_the_job(job: Job, stepping: Stepping) -> None:
    stepping.before_step = lambda job: services.cancel(Job.objects.get(pk=job.pk))
    services.work_on(job.pk)
    job.refresh_from_db()
    assert (job.status, job.processed) == ("cancelled", 0)


def test_a_step_may_be_left_in_the_middle(
    job: Job, stepping: Stepping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancellation, "PAUSE_S", 0.0)
    stepping.before_step = lambda job: cancellation.raise_if_cancelled()
    job = begun(job)
    services.cancel(job)
    preparation.prepare(job)
    job.refresh_from_db()
    assert (job.status, job.chunks.count(), stepping.steps) == ("cancelled", 0, [])


def test_a_cancelled_preparation_goes_on_where_it_stopped(job: Job, stepping: Stepping) -> None:
    services.work_on(job.pk)
    services.retry(services.cancel(job))
    assert work_off(job).status == "succeeded"
    assert stepping.steps == [0, 10, 20]


def test_its_log_says_what_it_was_cut_into(job: Job) -> None:
    work_off(job)
    assert LogLine.objects.filter(job=job, message="Cut into 6 chunks of 30 items.").exists()
