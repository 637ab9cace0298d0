"""One step: claimed by one worker, run, and ended together with what it did.

A worker holds a step by a lease with a token of its own; whatever it writes, it writes only while it holds the step.
A worker that was cut off and comes back late therefore changes nothing: what it did is rolled back.
"""

import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from nexus.api.errors import Problem
from nexus.jobs import services as jobs
from nexus.jobs.leases import heartbeat, lease_end, worker_name
from workflows.engine import Definition, InvalidInputsError, Step, resolve_inputs, retry_delay
from workflows.models import StepRun
from workflows.services.executions import PERMISSION, advance, context_of, on_behalf_of
from workflows.steps import registry
from workflows.steps.base import (
    Done,
    HandedOver,
    Outcome,
    StepCancelledError,
    StepFailedError,
    StepKind,
    Task,
)

logger = logging.getLogger(__name__)

MAX_INTERRUPTIONS = 3
REASON_LENGTH = 2000

Status = StepRun.Status


class LeaseLostError(Exception):
    """The worker no longer holds the step: somebody else has it, or has ended it."""


def run_step(step_pk: int) -> bool:
    """Run a queued step, unless somebody else does; say whether it was this call that ran it."""
    found = _load(StepRun.objects.filter(pk=step_pk, status=Status.QUEUED)).first()
    step = claim(found) if found else None
    if step is None:
        return False
    with on_behalf_of(step.execution):
        try:
            with heartbeat(lambda: mine(step).update(leased_until=lease_end())):
                _attempt(step)
        except LeaseLostError:
            logger.warning("A step was taken from its worker", extra={"step": step.step_id})
        advance(step.execution_id)
    return True


def _load(steps: QuerySet[StepRun]) -> QuerySet[StepRun]:
    return steps.select_related("execution__version", "job")


def definition_of(step: StepRun) -> Step:
    """The step as its workflow defines it."""
    return Definition.from_json(step.execution.version.definition).step(step.step_id)


def claim(step: StepRun) -> StepRun | None:
    """Take a queued step that is due for this worker; None when another worker has."""
    now = timezone.now()
    due = StepRun.objects.filter(Q(retry_at=None) | Q(retry_at__lte=now), pk=step.pk, status=Status.QUEUED)
    step.leased_by = f"{worker_name()}:{uuid.uuid4().hex[:12]}"
    taken = due.update(
        status=Status.RUNNING,
        attempts=F("attempts") + 1,
        leased_by=step.leased_by,
        leased_until=lease_end(),
        deadline_at=now + timedelta(seconds=definition_of(step).timeout_s),
        retry_at=None,
        started_at=now,
        error="",
    )
    if not taken:
        return None
    step.refresh_from_db(fields=["status", "attempts", "interruptions", "leased_until"])
    return step


def mine(step: StepRun) -> QuerySet[StepRun]:
    """The row of a step, if whoever read it so still holds it."""
    return StepRun.objects.filter(pk=step.pk, status=Status.RUNNING, leased_by=step.leased_by)


def _attempt(step: StepRun) -> None:
    try:
        _run(step)
    except LeaseLostError:
        raise
    except StepFailedError as error:
        fail(step, str(error), final=error.final)
    except InvalidInputsError as error:
        fail(step, f"with: {error}", final=True)
    except Problem as problem:
        fail(step, str(problem.detail))
    except SoftTimeLimitExceeded:
        fail(step, _too_long(step))
    except Exception as error:
        logger.exception("A step failed", extra={"step": step.step_id, "attempt": step.attempts})
        # What an exception says may name places of this server; the log has it.
        fail(step, f"Something went wrong on the server ({type(error).__name__}).")


def _run(step: StepRun) -> None:
    _check_still_allowed(step.execution.started_by)
    kind = _kind_of(step)
    runs = list(step.execution.steps.all())
    inputs = resolve_inputs(definition_of(step), kind, context_of(step.execution, runs))
    _write(step, input=inputs)
    task = Task(
        key=f"{step.execution_id}:{step.step_id}",
        user_id=step.execution.started_by_id,
        job=step.job,
        before=_outputs_before(step, runs),
    )
    if not kind.transactional:
        _close(step, kind.run(inputs, task))
        return
    with transaction.atomic():
        _close(step, kind.run(inputs, task))


def _check_still_allowed(user: User | None) -> None:
    """What the clock or an event has started has nobody who could lose a role."""
    if user is not None and not user.has_perm(PERMISSION):
        raise StepFailedError(
            "Whoever started the execution may not do this any more: the account is closed, or has lost the role.",
            final=True,
        )


def _kind_of(step: StepRun) -> StepKind:
    kind = registry.get(step.uses)
    if kind is None:
        raise StepFailedError(f"The step kind {step.uses} is not installed here.", final=True)
    return kind


def _outputs_before(step: StepRun, runs: list[StepRun]) -> list[Mapping[str, Any]]:
    """The outputs of the steps that a step needs, directly or not, the nearest first."""
    needs = Definition.from_json(step.execution.version.definition).needs
    by_id = {run.step_id: run for run in runs}
    nearest: dict[str, None] = {}
    level = list(needs[step.step_id])
    while level:
        nearest |= dict.fromkeys(level)
        level = [need for step_id in level for need in needs[step_id] if need not in nearest]
    outputs = (by_id[step_id].output for step_id in nearest)
    return [output for output in outputs if output is not None]


def _close(step: StepRun, outcome: Outcome) -> None:
    if isinstance(outcome, Done):
        _end(step, Status.SUCCEEDED, output=outcome.output)
    elif isinstance(outcome, HandedOver):
        _write(step, job=outcome.job, leased_until=None)
    else:
        _write(step, status=Status.WAITING, leased_until=None, deadline_at=None)


def _end(step: StepRun, status: str, **values: Any) -> None:
    _write(step, status=status, finished_at=timezone.now(), leased_until=None, deadline_at=None, **values)


def _write(step: StepRun, **values: Any) -> None:
    if not mine(step).update(**values):
        raise LeaseLostError


def fail(step: StepRun, reason: str, *, final: bool = False) -> None:
    """End an attempt of a step this caller holds: with another one to come, if its `retry` has one left."""
    defined = definition_of(step)
    attempt = step.attempts - step.interruptions
    reason = reason[:REASON_LENGTH]
    if final or attempt >= defined.max_attempts:
        _end(step, Status.FAILED, error=reason)
        return
    again = timezone.now() + timedelta(seconds=retry_delay(attempt, defined.backoff_s))
    _write(step, status=Status.QUEUED, retry_at=again, leased_until=None, deadline_at=None, error=reason)


def collect(job_id: Any) -> int:
    """End the steps whose job has ended, and say how many there were."""
    waiting = _load(StepRun.objects.filter(job_id=job_id, status=Status.RUNNING, leased_until=None))
    steps = [step for step in waiting if step.job is not None and step.job.is_finished]
    for step in steps:
        with on_behalf_of(step.execution):
            try:
                _collect(step)
            except LeaseLostError:
                logger.info("A step has been ended by somebody else", extra={"step": step.step_id})
            advance(step.execution_id)
    return len(steps)


def _collect(step: StepRun) -> None:
    assert step.job is not None
    try:
        output = _kind_of(step).collect(step.job)
    except StepCancelledError as error:
        _end(step, Status.CANCELLED, error=str(error))
    except StepFailedError as error:
        fail(step, str(error), final=error.final)
    else:
        _end(step, Status.SUCCEEDED, output=output)


def take_back(step: StepRun) -> None:
    """Queue a step again whose worker has died; at the third time it is the step that is to blame."""
    logger.warning("A worker was lost", extra={"step": step.step_id, "worker": step.leased_by})
    held = mine(step).filter(leased_until__lt=timezone.now())
    if step.interruptions + 1 >= MAX_INTERRUPTIONS:
        held.update(
            status=Status.FAILED,
            error=f"Its worker died {MAX_INTERRUPTIONS} times.",
            interruptions=F("interruptions") + 1,
            leased_until=None,
            deadline_at=None,
            finished_at=timezone.now(),
        )
        return
    held.update(
        status=Status.QUEUED, interruptions=F("interruptions") + 1, leased_until=None, deadline_at=None
    )


def time_out(step: StepRun) -> None:
    """End an attempt that has taken too long, and the job it was handed over to."""
    fail(step, _too_long(step))
    if step.job is not None and not step.job.is_finished:
        jobs.cancel(step.job)


def _too_long(step: StepRun) -> str:
    return f"The step took longer than its timeout_s, {definition_of(step).timeout_s} seconds."


def give_up_lost(step: StepRun) -> None:
    """Fail a step that nobody holds and whose job is gone."""
    fail(step, "Its job is gone.", final=True)
