"""The life of an execution: started, advanced from step to step, decided on, cancelled, retried.

Whoever changes more than one row of an execution locks the execution first, then its steps, then their jobs.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pghistory
from django.db import transaction
from django.utils import timezone

from accounts.roles import ROLES
from nexus.api.errors import Conflict, Forbidden, NotFound, invalid, invalid_request
from nexus.jobs import services as jobs
from nexus.jobs.messages import send_task
from nexus.ops.context import current_request_id, work_context
from workflows.engine import Decision, Definition, ExecutionState, next_steps, steps_to_retry
from workflows.engine.limits import limit_errors
from workflows.models import Execution, StepRun, Workflow

logger = logging.getLogger(__name__)

ADVANCE = "workflows.advance_execution"
RUN_STEP = "workflows.run_step"
# What starting an execution needs, and to go on whoever has started it.
PERMISSION = "workflows.add_execution"
# What a step that runs over its time gets to end by itself before its process is ended.
GRACE_S = 60
# How often beat has the sweeper look for what is due.
SWEPT_EVERY_S = 10.0

ExecutionStatus = Execution.Status
StepStatus = StepRun.Status


def start(
    *,
    workflow_id: int,
    given: Any = None,
    user_id: int | None = None,
    trigger: str = Execution.Trigger.MANUAL,
) -> Execution:
    """Accept an execution of the newest version of a workflow; workers hear of it after the commit.

    Raises NotFound, Conflict ``workflow_disabled`` or ``not_started_by_hand``, and Problem (400) for an input that
    is no object or cannot be kept.
    """
    given = _checked_input(given)
    with transaction.atomic():
        workflow = Workflow.objects.live().select_for_update().filter(pk=workflow_id).first()
        if workflow is None:
            raise NotFound("not_found", f"There is no workflow {workflow_id}.")
        if not workflow.enabled:
            raise Conflict("workflow_disabled", "The workflow is disabled. Enable it to start it.")
        version = workflow.versions.get(version=workflow.version)
        definition = Definition.from_json(version.definition)
        if trigger == Execution.Trigger.MANUAL and not definition.manual:
            raise Conflict("not_started_by_hand", "The workflow has no 'manual' under 'on'.")
        execution = Execution.objects.create(
            workflow=workflow,
            version=version,
            trigger=trigger,
            started_by_id=user_id,
            input=given,
            request_id=current_request_id() or "",
        )
        StepRun.objects.bulk_create(
            StepRun(execution=execution, step_id=step.id, position=position, uses=step.uses)
            for position, step in enumerate(definition.steps)
        )
        _tell_workers_to_advance(execution)
    return execution


def _checked_input(given: Any) -> dict[str, Any]:
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise invalid("/input", "wrong_type", "The input is an object.")
    if errors := limit_errors(given):
        raise invalid_request(
            [{"pointer": f"/input{e.pointer}", "code": e.code, "detail": e.detail} for e in errors]
        )
    return given


@contextmanager
def on_behalf_of(execution: Execution) -> Iterator[None]:
    """Do what is inside in the name of whoever started an execution: for the log and for the history."""
    request_id, user = execution.request_id or None, execution.started_by_id
    with (
        work_context(request_id=request_id, user=user),
        pghistory.context(source="workflow", execution=str(execution.pk), user=user, request_id=request_id),
    ):
        yield


def advance(execution_id: Any, *, wait: bool = True) -> None:
    """Do whatever is due in an execution: skip, fail, and have steps run. Doing it again changes nothing more.

    Without `wait`, an execution that somebody else has in hand is left to them.
    """
    with transaction.atomic():
        execution = (
            Execution.objects.select_for_update(of=("self",), skip_locked=not wait)
            .select_related("version")
            .filter(pk=execution_id, status__in=Execution.ACTIVE)
            .first()
        )
        if execution is not None:
            _proceed(execution)


def _proceed(execution: Execution) -> None:
    """Advance an execution whose row is locked."""
    if execution.cancel_requested_at:
        _cancel_what_is_left(execution)
        return
    if execution.status == ExecutionStatus.QUEUED:
        execution.status, execution.started_at = (
            ExecutionStatus.RUNNING,
            execution.started_at or timezone.now(),
        )
    runs = list(execution.steps.all())
    definition = Definition.from_json(execution.version.definition)
    decision = next_steps(definition, {run.step_id: run.status for run in runs}, context_of(execution, runs))
    _settle(execution, decision)
    for run in runs:
        if run.step_id in decision.ready:
            _tell_workers_to_run(run, definition.step(run.step_id).timeout_s)
    _move(execution, str(decision.execution))


def context_of(execution: Execution, runs: Sequence[StepRun]) -> dict[str, Any]:
    """What expressions may read: the input, and of each step its status and output."""
    steps = {run.step_id: {"status": run.status, "output": run.output} for run in runs}
    return {"input": execution.input, "steps": steps}


def _settle(execution: Execution, decision: Decision) -> None:
    """End the steps that will not run."""
    queued = execution.steps.filter(status=StepStatus.QUEUED)
    now = timezone.now()
    if decision.skip:
        queued.filter(step_id__in=decision.skip).update(status=StepStatus.SKIPPED, finished_at=now)
    for step_id, reason in decision.fail.items():
        queued.filter(step_id=step_id).update(status=StepStatus.FAILED, error=reason, finished_at=now)


def _move(execution: Execution, status: str) -> None:
    execution.status = status
    if execution.is_finished:
        execution.finished_at = timezone.now()
        execution.error = _why(execution) if status != ExecutionStatus.SUCCEEDED else ""
        logger.info("Execution ended", extra={"execution": str(execution.pk), "status": str(status)})
    execution.save(update_fields=["status", "error", "started_at", "finished_at"])


def _why(execution: Execution) -> str:
    step = (
        execution.steps.filter(status__in=[StepStatus.FAILED, StepStatus.CANCELLED]).exclude(error="").first()
    )
    return f"{step.step_id}: {step.error}" if step else ""


def decide(*, execution_id: Any, step_id: str, approve: bool, user: Any, note: str = "") -> Execution:
    """Approve or reject a step that waits, in the name of a user.

    Raises NotFound, Forbidden when the user's roles are below the one that the step asks for, and Conflict
    ``already_decided`` or ``not_waiting``.
    """
    with transaction.atomic():
        execution = locked(execution_id)
        step = execution.steps.filter(step_id=step_id, uses="approval").first()
        if step is None:
            raise NotFound("step_not_found", f"The execution has no approval {step_id!r}.")
        _check_may_decide(user, step)
        _check_waits(step)
        step.status = StepStatus.SUCCEEDED if approve else StepStatus.FAILED
        step.decided_by_id, step.decided_at, step.note = user.pk, timezone.now(), note
        step.finished_at = step.decided_at
        step.output = {"approved": approve, "decided_by": user.pk, "note": note}
        step.error = "" if approve else f"Rejected{': ' + note if note else '.'}"
        step.save()
        logger.info("Approval decided", extra={"execution": str(execution.pk), "approved": approve})
        _proceed(execution)
    return execution


def may_decide(user: Any, step: StepRun) -> bool:
    """Whether a user holds the role that an approval asks for, or a higher one."""
    return step.role in ROLES and bool(set(user.roles) & set(ROLES[ROLES.index(step.role) :]))


def _check_may_decide(user: Any, step: StepRun) -> None:
    if not may_decide(user, step):
        raise Forbidden(f"This approval asks for the role {step.role}.")


def _check_waits(step: StepRun) -> None:
    if step.decided_at is not None:
        decision = "approved" if step.status == StepStatus.SUCCEEDED else "rejected"
        raise Conflict("already_decided", f"Somebody has {decision} this step already.")
    if step.status != StepStatus.WAITING:
        raise Conflict("not_waiting", f"The step is {step.status}; it does not wait for an approval.")


def cancel(execution_id: Any) -> Execution:
    """Stop an execution: what is done stays, what runs is told to end, and nothing more begins.

    Raises NotFound, and Conflict ``execution_finished`` when it has ended already.
    """
    with transaction.atomic():
        execution = locked(execution_id)
        if execution.is_finished:
            raise Conflict(
                "execution_finished", f"The execution has ended already: it is {execution.status}."
            )
        execution.cancel_requested_at = execution.cancel_requested_at or timezone.now()
        execution.save(update_fields=["cancel_requested_at"])
        _cancel_what_is_left(execution)
    return execution


def _cancel_what_is_left(execution: Execution) -> None:
    """Cancel the steps that have not begun and the jobs of those that have; end the execution when none is left."""
    execution.steps.filter(status__in=[StepStatus.QUEUED, StepStatus.WAITING]).update(
        status=StepStatus.CANCELLED, retry_at=None, finished_at=timezone.now()
    )
    running = list(execution.steps.filter(status=StepStatus.RUNNING).select_related("job"))
    for step in running:
        if step.job is not None and step.leased_until is None:
            # A job that has just ended tells so itself.
            with suppress(Conflict):
                jobs.cancel(step.job)
    if not running:
        _move(execution, ExecutionStatus.CANCELLED)


def retry(execution_id: Any) -> Execution:
    """Take up what failed, was cancelled, or was skipped for that; what succeeded is not run again.

    Raises NotFound, and Conflict ``nothing_to_retry`` or ``workflow_archived``.
    """
    with transaction.atomic():
        execution = locked(execution_id)
        if ExecutionState.QUEUED not in Execution.TRANSITIONS[ExecutionState(execution.status)]:
            raise Conflict("nothing_to_retry", f"The execution is {execution.status}: nothing of it failed.")
        if execution.workflow.archived_at:
            raise Conflict("workflow_archived", "The workflow has been archived.")
        states = dict(execution.steps.values_list("step_id", "status"))
        again = steps_to_retry(Definition.from_json(execution.version.definition), states)
        execution.steps.filter(step_id__in=again).update(
            status=StepStatus.QUEUED,
            attempts=0,
            interruptions=0,
            retry_at=None,
            error="",
            output=None,
            decided_by=None,
            decided_at=None,
            note="",
            started_at=None,
            finished_at=None,
        )
        execution.status, execution.error = ExecutionStatus.QUEUED, ""
        execution.finished_at = execution.cancel_requested_at = None
        execution.save(update_fields=["status", "error", "finished_at", "cancel_requested_at"])
        _tell_workers_to_advance(execution)
    return execution


def locked(execution_id: Any) -> Execution:
    """An execution with its row locked until the transaction ends. Raises NotFound."""
    found = (
        Execution.objects.select_for_update(of=("self",))
        .select_related("version", "workflow")
        .filter(pk=execution_id)
        .first()
    )
    if found is None:
        raise NotFound("not_found", "There is no such execution.")
    return found


def _tell_workers_to_advance(execution: Execution) -> None:
    transaction.on_commit(partial(send_task, ADVANCE, str(execution.pk)))


def _tell_workers_to_run(run: StepRun, timeout_s: int) -> None:
    delay_s = max(0.0, (run.retry_at - timezone.now()).total_seconds()) if run.retry_at else 0.0
    if delay_s > SWEPT_EVERY_S:
        # The sweeper finds the step when it is due; until then every sweep would leave one more message to wait.
        return
    limits = {"soft_time_limit": timeout_s, "time_limit": timeout_s + GRACE_S}
    transaction.on_commit(partial(send_task, RUN_STEP, run.pk, delay_s=delay_s, **limits))
