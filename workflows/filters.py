"""What the lists of workflows and executions can be filtered by."""

import django_filters

from nexus.api.filters import BooleanFilter, FilterSet
from products.filters import IntegerFilter
from workflows.models import Execution, Workflow
from workflows.querysets import WorkflowQuerySet


class WorkflowFilterSet(FilterSet):
    """Filters of workflows."""

    search = django_filters.CharFilter(
        method="by_text", max_length=200, label="A part of the name or the description."
    )
    enabled = BooleanFilter(label="Whether it can be started.")

    class Meta:
        model = Workflow
        fields: list[str] = []

    def by_text(self, queryset: WorkflowQuerySet, name: str, value: str) -> WorkflowQuerySet:
        """Workflows in whose name or description the text occurs."""
        return queryset.search(value)


class WorkflowExecutionFilterSet(FilterSet):
    """Filters of the executions of one workflow."""

    status = django_filters.ChoiceFilter(choices=Execution.Status.choices)
    trigger = django_filters.ChoiceFilter(choices=Execution.Trigger.choices)
    created_after = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", label="At or after."
    )

    class Meta:
        model = Execution
        fields: list[str] = []


class ExecutionFilterSet(WorkflowExecutionFilterSet):
    """Filters of all executions."""

    workflow = IntegerFilter(field_name="workflow_id", label="Its id.")
