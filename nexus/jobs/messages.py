"""How workers hear of work. A message may be lost or come twice: the rows tell what is to be done."""

import logging
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

WORK_ON_JOB = "nexus.jobs.work_on_job"
# The sweeper sends a message again while there is work; an old one that nobody took is of no use by then.
EXPIRES_S = 60


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
