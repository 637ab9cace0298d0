"""The Django application of workflows."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """Workflows."""

    name = "workflows"
    label = "workflows"
    verbose_name = "Workflows"
