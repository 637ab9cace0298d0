"""How workers hear of work. A message may be lost or come twice: the rows tell what is to be done.

Each chunk is offered by one message at a time: its row says until when the message holds. So the messages that are
under way are counted in rows too, and whoever finds some missing knows how many.
"""

import logging
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from nexus.jobs.kinds import message_options
from nexus.jobs.models import Chunk, Job

logger = logging.getLogger(__name__)

WORK_ON_JOB = "nexus.jobs.work_on_job"
# The sweeper sends a message again while there is work; an old one that nobody took is of no use by then.
EXPIRES_S = 60
# How many chunks of one job may be offered or under way at once, on all workers together.
PARALLEL = 16


def tell_workers(job: Job, times: int) -> None:
    """Send the message of a job so many times, once the transaction is committed."""
    for _ in range(times):
        transaction.on_commit(lambda: send(job.pk, **message_options(job)))


def offer(job: Job, most: int) -> int:
    """Offer chunks of a job that nobody has been told of, `most` of them; say how many there were."""
    now = timezone.now()
    with transaction.atomic():
        chosen = [chunk.pk for chunk in Chunk.objects.unoffered_of(job, now)[:most]]
        if chosen:
            offered_until = now + timedelta(seconds=EXPIRES_S)
            Chunk.objects.filter(pk__in=chosen).update(offered_until=offered_until)
        tell_workers(job, len(chosen))
    return len(chosen)


def offer_what_may_be(job: Job) -> int:
    """Offer as many chunks as a job may have offered and under way; say how many that were."""
    missing = PARALLEL - Chunk.objects.underway_of(job, timezone.now()).count()
    return offer(job, missing) if missing > 0 else 0


def send(job_id: Any, **options: Any) -> None:
    """Tell the workers about a job. When the broker does not answer, the sweeper does so later."""
    send_task(WORK_ON_JOB, str(job_id), **options)


def send_task(name: str, *arguments: Any, delay_s: float = 0, **options: Any) -> None:
    """Send a message for a task, to be taken after `delay_s` seconds; nothing but a warning when it cannot be sent."""
    options |= {"countdown": delay_s} if delay_s else {}
    try:
        current_app.send_task(name, arguments, expires=delay_s + EXPIRES_S, retry=False, **options)
    except (OperationalError, OSError) as error:
        logger.warning("The broker does not answer; the sweeper will send %s: %s", name, type(error).__name__)
