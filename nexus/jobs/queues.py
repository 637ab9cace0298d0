"""Which queues somebody listens to: a message goes through each of them every 15 seconds, and leaves a row."""

from datetime import datetime, timedelta
from typing import TypedDict

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from nexus.jobs.kinds import kind_of
from nexus.jobs.models import Chunk, QueueHeartbeat

# Three messages in a row that nobody has taken.
SILENCE = timedelta(seconds=3 * settings.HEARD_EVERY_S)


class Heard(TypedDict):
    """What is known of a queue.

    `state` is ``listening``, ``busy`` when nothing has come through because all who listen are at work for it,
    ``deaf`` when nobody is, and ``unknown`` before the first message.
    """

    state: str
    heard_at: datetime | None
    wait_s: float | None


def sent_at(expires: str | datetime | None) -> datetime:
    """When a heartbeat that expires at some time was sent."""
    end = parse_datetime(expires) if isinstance(expires, str) else expires
    return end - timedelta(seconds=settings.HEARD_EXPIRES_S) if end else timezone.now()


def hear(queue: str, sent: datetime, worker: str) -> None:
    """Note that a message sent at some time has come through a queue."""
    now = timezone.now()
    noted = {"heard_at": now, "wait_s": max(0.0, (now - sent).total_seconds()), "worker": worker}
    QueueHeartbeat.objects.update_or_create(queue=queue, defaults=noted)


def queues() -> dict[str, Heard]:
    """What is known of each queue."""
    heard = {one.queue: one for one in QueueHeartbeat.objects.all()}
    busy = _busy()
    return {name: _heard(heard.get(name), name in busy) for name in settings.QUEUES}


def _heard(last: QueueHeartbeat | None, is_busy: bool) -> Heard:
    if last is None:
        return {"state": "busy" if is_busy else "unknown", "heard_at": None, "wait_s": None}
    state = "listening"
    if timezone.now() - last.heard_at > SILENCE:
        state = "busy" if is_busy else "deaf"
    return {"state": state, "heard_at": last.heard_at, "wait_s": round(last.wait_s, 3)}


def _busy() -> set[str]:
    """The queues of the jobs of which a chunk is in work, under a lease that holds."""
    running = Chunk.objects.filter(status=Chunk.Status.RUNNING, leased_until__gte=timezone.now())
    jobs = {chunk.job_id: chunk.job for chunk in running.select_related("job")}
    return {kind_of(job).queue_of(job) for job in jobs.values()}
