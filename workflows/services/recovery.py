"""Finding the work that nobody does, whatever has died. Run by beat; safe at any time, in any number of places."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from nexus.jobs.models import Job
from workflows.models import Execution, StepRun
from workflows.services import steps
from workflows.services.executions import advance, on_behalf_of

logger = logging.getLogger(__name__)

# Messages that nobody has taken by then are sent again.
UNSENT_AFTER = timedelta(seconds=10)


def recover() -> int:
    """Take back the steps of dead workers, end what is over, and wake what is due; say how many were looked after."""
    now = timezone.now()
    running = StepRun.objects.filter(status=StepRun.Status.RUNNING).select_related(
        "execution__version", "job"
    )
    handed_over = running.filter(leased_until=None)
    # In this order: a worker that was ended because its step took too long has not died of anything else.
    looked_after = _each(running.filter(deadline_at__lt=now), _on_behalf(steps.time_out))
    looked_after += _each(running.filter(leased_until__lt=now), _on_behalf(steps.take_back))
    looked_after += _each(handed_over.filter(job=None), _on_behalf(steps.give_up_lost))
    ended = handed_over.filter(job__status__in=Job.TERMINAL).values_list("job_id", flat=True)
    looked_after += _each(ended, steps.collect)
    open_ = Execution.objects.filter(
        status__in=[Execution.Status.QUEUED, Execution.Status.RUNNING], created_at__lt=now - UNSENT_AFTER
    )
    return looked_after + _each(open_.values_list("pk", flat=True), lambda pk: advance(pk, wait=False))


def _on_behalf(do: Callable[[StepRun], None]) -> Callable[[StepRun], None]:
    def done(step: StepRun) -> None:
        with on_behalf_of(step.execution):
            try:
                do(step)
            except steps.LeaseLostError:
                logger.info("A step has been ended by somebody else", extra={"step": step.step_id})

    return done


def _each(rows: Iterable[Any], do: Callable[[Any], object]) -> int:
    """Do something with every row; one that fails keeps the others from nothing."""
    count = 0
    for row in list(rows):
        try:
            do(row)
            count += 1
        except Exception:
            logger.exception("Something could not be recovered")
    return count
