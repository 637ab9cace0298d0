"""The tasks of workflows: thin shells around the services."""

from celery import shared_task

from workflows.services import executions, recovery, steps


@shared_task(name=executions.ADVANCE)
def advance_execution(execution_id: str) -> None:
    """Do whatever is due in an execution."""
    executions.advance(execution_id)


@shared_task(name=executions.RUN_STEP)
def run_step(step_pk: int) -> None:
    """Run a step that is due."""
    steps.run_step(step_pk)


@shared_task(name="workflows.recover_executions")
def recover_executions() -> int:
    """Find the work of workflows that nobody does."""
    return recovery.recover()
