"""The life of a job: cut into chunks, worked off, ended by counting."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from conftest import ClientOf
from nexus.api.errors import Conflict
from nexus.jobs import kinds, services
from nexus.jobs.models import Chunk, Job
from nexus.jobs.tests.conftest import Counting, MakeJob, work_off

pytestmark = pytest.mark.django_db


def figures(job: Job) -> tuple[str, int, int, int, int]:
    job.refresh_from_db()
    return job.status, job.total, job.processed, job.succeeded, job.failed


def test_a_job_is_cut_into_chunks_and_ends_when_all_are_done(make_job: MakeJob) -> None:
    job = work_off(make_job(25))
    assert figures(job) == ("succeeded", 25, 25, 25, 0)
    assert [chunk.size for chunk in job.chunks.all()] == [10, 10, 5]
    assert job.started_at
    assert job.finished_at


def test_a_job_of_nothing_ends_at_once(make_job: MakeJob) -> None:
    assert figures(work_off(make_job(0))) == ("succeeded", 0, 0, 0, 0)


def test_failed_items_make_it_partially_failed(make_job: MakeJob, counting: Counting) -> None:
    counting.broken = {3, 14}
    assert figures(work_off(make_job(25))) == ("partially_failed", 25, 25, 23, 2)


def test_when_every_item_fails_the_job_has_failed(make_job: MakeJob, counting: Counting) -> None:
    counting.broken = set(range(25))
    assert figures(work_off(make_job(25))) == ("failed", 25, 25, 0, 25)


def test_a_job_that_cannot_be_prepared_fails_with_the_reason(make_job: MakeJob, counting: Counting) -> None:
    counting.unpreparable = True
    job = work_off(make_job())
    assert job.status == "failed"
    assert job.error == "/numbers: There are no such numbers."


@pytest.mark.parametrize("permission", ["", "products.change_product"])
@pytest.mark.parametrize("is_active", [True, False])
def test_a_job_does_not_begin_when_its_owner_may_not_have_it_done_any_more(
    make_job: MakeJob, counting: Counting, editor: User, permission: str, is_active: bool
) -> None:
    kinds.register(replace(kinds._kinds["count"], permission=permission))
    allowed, job = work_off(make_job(25)), make_job(25)
    if is_active:
        editor.groups.clear()
    User.objects.filter(pk=editor.pk).update(is_active=is_active)
    counting.done.clear()

    assert figures(work_off(job)) == ("failed", 0, 0, 0, 0)
    assert "the account is closed, or has lost the role" in job.error
    assert not counting.done
    assert allowed.status == "succeeded"


def test_a_job_stops_between_two_chunks_when_its_owner_loses_the_role(
    make_job: MakeJob, editor: User, client_of: ClientOf
) -> None:
    job = make_job(25)
    for _ in ("begin and prepare", "the first chunk"):
        assert services.work_on(job.pk)
    editor.groups.clear()
    assert figures(work_off(job)) == ("failed", 25, 10, 10, 0)
    assert "has lost the role" in job.error
    assert client_of(editor).post(f"/api/v1/jobs/{job.pk}/retry").status_code == 403


def test_a_job_stops_between_two_steps_of_its_preparation_when_its_owner_loses_the_role(
    make_job: MakeJob, editor: User, counting: Counting
) -> None:
    ends = iter([1, None])
    kinds.register(
        replace(
            kinds._kinds["count"],
            next_step=lambda job, after: kinds.Step([Chunk(job=job, size=10)], next(ends)),
        )
    )
    job = make_job(20)
    assert services.work_on(job.pk)
    editor.groups.clear()
    assert work_off(job).status == "failed"
    assert (job.prepared, job.prepared_at) == (10, None)
    assert "has lost the role" in job.error


def test_a_chunk_that_was_under_way_when_its_job_failed_is_counted(
    make_job: MakeJob, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(20)
    assert services.work_on(job.pk)
    job.refresh_from_db()
    last = services.claim(job)
    assert last
    editor.groups.clear()
    assert services.claim(job) is None
    services.run(job, last)
    assert figures(job) == ("failed", 20, 10, 10, 0)


def test_a_chunk_that_raises_is_set_aside_at_the_third_time_and_the_rest_goes_on(
    make_job: MakeJob, counting: Counting
) -> None:
    counting.deadly = {1}
    job = work_off(make_job(25))
    assert figures(job) == ("partially_failed", 25, 25, 15, 10)
    assert counting.done.count(1) == Chunk.MAX_ATTEMPTS
    assert job.chunks.get(position=1).error == "Something went wrong on the server (RuntimeError)."


def test_a_job_ends_although_its_failures_cannot_be_recorded(make_job: MakeJob, counting: Counting) -> None:
    counting.deadly, counting.unrecordable = {1}, True
    assert figures(work_off(make_job(25))) == ("partially_failed", 25, 25, 15, 10)


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_job_of_a_kind_that_is_not_installed_fails(make_job: MakeJob, status: str) -> None:
    job = make_job(5)
    if status == "running":
        services.work_on(job.pk)
    Job.objects.filter(pk=job.pk).update(kind="forgotten")
    job = work_off(job)
    assert job.status == "failed"
    assert "not known here" in job.error


def test_the_kind_hears_of_every_end(make_job: MakeJob, counting: Counting) -> None:
    work_off(make_job(5))
    services.cancel(make_job(5))
    counting.unpreparable = True
    work_off(make_job(5))
    assert counting.ended == ["succeeded", "cancelled", "failed"]


def test_retry_takes_up_only_what_failed(make_job: MakeJob, counting: Counting) -> None:
    counting.broken = {14}
    job = work_off(make_job(25))
    counting.broken, counting.done = set(), []
    services.retry(job)
    assert figures(work_off(job)) == ("succeeded", 25, 25, 25, 0)
    assert counting.done == [1]


def test_the_time_before_a_retry_does_not_count_for_the_estimate(
    make_job: MakeJob, counting: Counting
) -> None:
    counting.broken = {14, 24}
    job = work_off(make_job(25))
    Job.objects.filter(pk=job.pk).update(started_at=timezone.now() - timedelta(days=1))
    services.work_on(services.retry(job).pk)
    job.refresh_from_db()
    assert (job.status, job.eta_s) == ("running", None)
    services.work_on(job.pk)
    job.refresh_from_db()
    assert job.eta_s is not None
    assert job.eta_s < timedelta(hours=1).total_seconds()


def test_a_job_that_succeeded_has_nothing_to_retry(make_job: MakeJob) -> None:
    with pytest.raises(Conflict, match="nothing of it failed"):
        services.retry(work_off(make_job()))


def test_a_cancelled_job_keeps_what_is_done(make_job: MakeJob) -> None:
    job = make_job(25)
    services.work_on(job.pk)
    services.work_on(job.pk)
    services.cancel(job)
    assert not services.work_on(job.pk)
    assert figures(job) == ("cancelled", 25, 10, 10, 0)


def test_a_cancelled_job_can_be_taken_up_where_it_stopped(make_job: MakeJob, counting: Counting) -> None:
    job = make_job(25)
    services.work_on(job.pk)
    services.work_on(job.pk)
    services.retry(services.cancel(job))
    assert figures(work_off(job)) == ("succeeded", 25, 25, 25, 0)
    assert counting.done == [0, 1, 2]


def test_a_finished_job_cannot_be_cancelled(make_job: MakeJob) -> None:
    with pytest.raises(Conflict, match="ended already"):
        services.cancel(work_off(make_job()))


def test_a_chunk_whose_worker_died_is_done_by_another(make_job: MakeJob) -> None:
    job = make_job(25)
    services.work_on(job.pk)
    job.refresh_from_db()
    lost = services.claim(job)
    assert lost
    Chunk.objects.filter(pk=lost.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.recover()
    assert figures(work_off(job)) == ("succeeded", 25, 25, 25, 0)
    assert job.chunks.get(position=0).attempts == 2


def test_a_worker_that_comes_back_late_counts_nothing_twice(make_job: MakeJob) -> None:
    job = make_job(25)
    services.work_on(job.pk)
    job.refresh_from_db()
    late = services.claim(job)
    assert late
    Chunk.objects.filter(pk=late.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.recover()
    work_off(job)
    services.run(job, late)
    assert figures(job) == ("succeeded", 25, 25, 25, 0)


def test_a_chunk_that_kills_its_worker_three_times_is_set_aside(make_job: MakeJob) -> None:
    job = make_job(5)
    services.work_on(job.pk)
    for _ in range(Chunk.MAX_ATTEMPTS):
        job.refresh_from_db()
        assert services.claim(job)
        Chunk.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        services.recover()
    assert figures(job) == ("failed", 5, 5, 0, 5)
    assert "worker died" in job.error == job.chunks.get().error


def test_the_sweeper_sends_a_job_whose_message_was_lost(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("nexus.jobs.messages.send", lambda job_id, **_: sent.append(job_id))
    job = make_job()
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert services.recover() == 1
    assert sent == [job.pk]


def test_the_sweeper_sends_no_more_messages_while_one_goes_round(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("nexus.jobs.messages.send", lambda job_id, **_: sent.append(job_id))
    job = make_job(200)
    services.work_on(job.pk)
    job.refresh_from_db()
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert services.claim(job)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert services.recover() == 0
    assert sent == []


def test_the_message_of_a_dead_worker_is_sent_again(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("nexus.jobs.messages.send", lambda job_id, **_: sent.append(job_id))
    job = make_job(200)
    services.work_on(job.pk)
    job.refresh_from_db()
    lost, kept = services.claim(job), services.claim(job)
    assert lost
    assert kept
    Chunk.objects.filter(pk=lost.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        services.recover()
    assert sent == [job.pk]


def test_one_broken_job_keeps_the_sweeper_from_no_other(
    make_job: MakeJob, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [make_job(0), make_job(0)]
    for job in jobs:
        services.work_on(job.pk)
    Job.objects.update(status="running", finished_at=None, created_at=timezone.now() - timedelta(minutes=1))

    def finish(job: Job) -> None:
        if job.pk == jobs[0].pk:
            raise RuntimeError("broken")

    monkeypatch.setitem(kinds._kinds, "count", replace(kinds._kinds["count"], finish=finish))
    services.recover()
    assert sorted(Job.objects.values_list("status", flat=True)) == ["running", "succeeded"]


def test_the_database_refuses_progress_that_does_not_add_up(make_job: MakeJob) -> None:
    job = make_job()
    with pytest.raises(IntegrityError, match="nexus_job_progress_adds_up"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(processed=1)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_do_every_chunk_once(make_job: MakeJob, counting: Counting) -> None:
    job = make_job(200)
    services.work_on(job.pk)
    start = threading.Barrier(6)

    def worker() -> None:
        start.wait()
        while services.work_on(job.pk):
            pass
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert figures(job) == ("succeeded", 200, 200, 200, 0)
    assert sorted(counting.done) == list(range(20))


@pytest.mark.django_db(transaction=True)
def test_no_chunk_begins_while_a_job_is_being_cancelled(make_job: MakeJob) -> None:
    job = make_job(25)
    services.work_on(job.pk)
    job.refresh_from_db()
    claimed: list[Chunk | None] = []

    def claim() -> None:
        claimed.append(services.claim(job))
        connection.close()

    thread = threading.Thread(target=claim)
    with transaction.atomic():
        services.cancel(job)
        thread.start()
        thread.join(timeout=0.5)
    thread.join()
    assert claimed == [None]
    assert figures(job) == ("cancelled", 25, 0, 0, 0)
