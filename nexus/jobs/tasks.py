"""The tasks of jobs: thin shells around services."""

from typing import Any

from celery import shared_task
from django.conf import settings

from nexus.jobs import messages, queues, services


@shared_task(name=messages.WORK_ON_JOB)
def work_on_job(job_id: str) -> None:
    """Do what is next for a job: a step of its preparation, or a chunk."""
    services.work_on(job_id)


@shared_task(name="nexus.jobs.recover_jobs")
def recover_jobs() -> int:
    """Find work that nobody does."""
    return services.recover()


@shared_task(name=settings.HEAR_QUEUE, bind=True)
def hear_queue(self: Any, queue: str) -> None:
    """Note that somebody listens to a queue."""
    queues.hear(queue, queues.sent_at(self.request.expires), worker=self.request.hostname or "")
