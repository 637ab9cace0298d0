"""Which queue a job goes to, how many messages speak of it, and whether anybody listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from nexus.jobs import messages, services
from nexus.jobs.kinds import message_options
from nexus.jobs.models import Chunk, Job, QueueHeartbeat
from nexus.jobs.observation import check_queues
from nexus.jobs.queues import hear, queues, sent_at
from nexus.jobs.tasks import hear_queue
from nexus.jobs.tests.conftest import MakeJob
from nexus.ops.metrics import exposition, gauges

pytestmark = pytest.mark.django_db

Sent = list[tuple[Any, str]]


@pytest.fixture
def sending(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    """A block that gives the messages that are sent when its transaction is committed: job and queue."""
    sent: Sent = []
    monkeypatch.setattr(messages, "send", lambda job_id, queue: sent.append((job_id, queue)))

    @contextmanager
    def block() -> Iterator[Sent]:
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            yield sent

    return block


@pytest.mark.parametrize(
    ("fields", "queue"),
    [
        ({"kind": "count", "total": 5}, "interactive"),
        ({"kind": "count", "total": 500}, "interactive"),
        ({"kind": "count", "total": 501}, "bulk"),
        # What may be large counts as large.
        ({"kind": "count", "total": 0}, "bulk"),
        ({"kind": "train", "total": 1}, "training"),
    ],
)
def test_what_people_wait_for_does_not_stand_behind_what_is_large(
    fields: dict[str, Any], queue: str, counting: object
) -> None:
    assert message_options(Job(**fields))["queue"] == queue


def test_a_job_has_no_more_messages_than_chunks_may_be_under_way(make_job: MakeJob, sending: Any) -> None:
    with sending() as sent:
        job = make_job(1000)
    assert sent == [(job.pk, "bulk")]
    with sending() as sent:
        services.work_on(job.pk)
    assert len(sent) == messages.PARALLEL


def test_each_chunk_that_is_done_brings_one_message_more(make_job: MakeJob, sending: Any) -> None:
    job = make_job(1000)
    services.work_on(job.pk)
    with sending() as sent:
        services.work_on(job.pk)
    assert len(sent) == 1
    assert Chunk.objects.filter(offered_until__isnull=False).count() == messages.PARALLEL


def test_messages_that_a_broker_has_lost_are_sent_again_and_no_others(
    make_job: MakeJob, sending: Any
) -> None:
    job = make_job(1000)
    services.work_on(job.pk)
    assert services.claim(job)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    with sending() as sent:
        services.recover()
    assert sent == []
    lost = Chunk.objects.filter(position__in=[3, 4])
    lost.update(offered_until=timezone.now() - timedelta(seconds=1))
    with sending() as sent:
        services.recover()
    assert len(sent) == 2


def test_the_command_recovers_as_the_clock_does(make_job: MakeJob, capsys: Any) -> None:
    make_job(5)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    call_command("recover_jobs")
    assert capsys.readouterr().out == "1 jobs were woken.\n"


def test_a_queue_is_unknown_until_a_message_came_through() -> None:
    assert queues()["bulk"] == {"state": "unknown", "heard_at": None, "wait_s": None}


def test_a_message_that_came_through_tells_that_somebody_listens_and_how_long_it_waited() -> None:
    hear("bulk", timezone.now() - timedelta(seconds=2), worker="one")
    heard = queues()["bulk"]
    assert heard["state"] == "listening"
    assert heard["wait_s"] == pytest.approx(2.0, abs=1.0)


def test_a_queue_that_nobody_listens_to_is_deaf() -> None:
    silent_since("bulk")
    assert queues()["bulk"]["state"] == "deaf"
    finding = check_queues()
    assert "bulk: deaf" in finding.detail
    assert finding.mend.startswith("celery -A nexus worker --queues bulk")


def test_a_queue_whose_workers_are_all_at_work_is_not_deaf(make_job: MakeJob) -> None:
    silent_since("bulk")
    job = make_job(1000)
    services.work_on(job.pk)
    assert services.claim(job)
    assert queues()["bulk"]["state"] == "busy"


def test_the_task_notes_the_worker_and_when_the_message_was_sent() -> None:
    hear_queue.apply(args=("bulk",))
    assert QueueHeartbeat.objects.get().queue == "bulk"
    expires = timezone.now() + timedelta(seconds=60)
    assert abs(sent_at(expires.isoformat()) - timezone.now()) < timedelta(seconds=5)


def test_operators_see_it() -> None:
    silent_since("training")
    gauges.forget()
    assert 'nexus_queue_deaf{queue="training"} 1.0' in exposition().decode()


def silent_since(queue: str) -> None:
    hear(queue, timezone.now(), worker="one")
    QueueHeartbeat.objects.update(heard_at=timezone.now() - timedelta(minutes=5))
