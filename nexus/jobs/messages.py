"""How workers hear of a job. A message may be lost or come twice: the rows tell what is to be done."""

import logging
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

WORK_ON_JOB = "nexus.jobs.work_on_job"
# The sweeper sends a message again while there is work; an old one that nobody took is of no use by then.
EXPIRES_S = 60


def send(job_id: Any) -> None:
    """Tell the workers about a job. When the broker does not answer, the sweeper does so later."""
    try:
        current_app.send_task(WORK_ON_JOB, [str(job_id)], expires=EXPIRES_S, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker does not answer; the sweeper will send the job: %s", type(error).__name__)
