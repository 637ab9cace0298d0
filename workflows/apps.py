"""The Django application of workflows."""

from typing import Any

from django.apps import AppConfig

from accounts.roles import ADMINISTRATOR, EDITOR, REVIEWER, VIEWER, crud, grant


class WorkflowsConfig(AppConfig):
    """Workflows."""

    name = "workflows"
    label = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        """Say who may do what, have jobs tell when they end, and tell operators of the executions."""
        grant(
            VIEWER,
            *(f"workflows.view_{model}" for model in ("workflow", "workflowversion", "execution", "steprun")),
        )
        grant(EDITOR, "workflows.add_execution", "workflows.change_execution")
        grant(REVIEWER, "workflows.change_steprun")
        grant(ADMINISTRATOR, *crud("workflows", "workflow"))
        from nexus.jobs.services import job_finished
        from workflows import observation

        observation.register()
        job_finished.connect(_collect, dispatch_uid="workflows.collect")


def _collect(job_id: Any, **_: Any) -> None:
    from workflows.services.steps import collect

    collect(job_id)
