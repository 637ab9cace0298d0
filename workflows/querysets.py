"""Named reads of workflows, executions and steps."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, FilteredRelation, Q

if TYPE_CHECKING:
    from workflows.models import Execution, StepRun, Workflow  # noqa: F401 - names of the bases


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    """Reads of workflows."""

    def live(self) -> Self:
        """Those that have not been archived."""
        return self.filter(archived_at=None)

    def with_definition(self) -> Self:
        """Add `definition`, that of the newest version."""
        newest = FilteredRelation("versions", condition=Q(versions__version=F("version")))
        return self.annotate(newest=newest, definition=F("newest__definition"))

    def search(self, text: str) -> Self:
        """Those in whose name or description a text occurs."""
        return self.filter(Q(name__icontains=text) | Q(description__icontains=text))


class ExecutionQuerySet(models.QuerySet["Execution"]):
    """Reads of executions."""

    def active(self) -> Self:
        """Those that have not ended."""
        return self.filter(status__in=self.model.ACTIVE)


class StepRunQuerySet(models.QuerySet["StepRun"]):
    """Reads of steps."""

    def waiting_for_approval(self) -> Self:
        """Steps that wait for somebody's decision."""
        return self.filter(status="waiting")
