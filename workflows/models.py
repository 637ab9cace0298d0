"""What is done with products: workflows, their versions, and the executions of them."""

import uuid
from typing import Any, ClassVar

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.roles import REVIEWER
from nexus.jobs.models import Job
from workflows.engine import EXECUTION_TRANSITIONS, STEP_TRANSITIONS
from workflows.querysets import ExecutionQuerySet, StepRunQuerySet, WorkflowQuerySet


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    exclude=["created_at", "updated_at"],
)
class Workflow(models.Model):
    """A named sequence of steps. What the steps are stands in its versions; `version` is the newest.

    A workflow is archived, never deleted: its versions and executions refer to it.
    """

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=5000)
    enabled = models.BooleanField(default=True, help_text="Only an enabled workflow can be started.")
    version = models.PositiveIntegerField(default=1, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[WorkflowQuerySet] = WorkflowQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(archived_at=None),
                name="workflows_workflow_name_unique",
                violation_error_message="Another workflow has this name.",
                violation_error_code="name_taken",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="workflows_workflow_name_given"),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="workflows_workflow_by_name"),
            models.Index(fields=["created_at", "id"], name="workflows_workflow_by_created"),
            models.Index(fields=["updated_at", "id"], name="workflows_workflow_by_updated"),
        ]

    def __str__(self) -> str:
        return self.name


@pgtrigger.register(pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete))
class WorkflowVersion(models.Model):
    """A definition as it was once saved. The database refuses to change or delete it."""

    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    definition = models.JSONField()
    # Without a constraint, because a row that never changes cannot forget a deleted user.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["workflow", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "version"], name="workflows_version_unique"),
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class Execution(models.Model):
    """One run of a workflow, pinned to the version that was current when it was asked for."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (Status.QUEUED, Status.RUNNING, Status.WAITING)
    TERMINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)
    # From each state to those that may follow it; see `workflows.engine.states`.
    TRANSITIONS = EXECUTION_TRANSITIONS

    class Trigger(models.TextChoices):
        MANUAL = "manual"
        SCHEDULE = "schedule"
        EVENT = "event"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workflow = models.ForeignKey(
        Workflow, on_delete=models.PROTECT, related_name="executions", db_index=False
    )
    version = models.ForeignKey(
        WorkflowVersion, on_delete=models.PROTECT, related_name="executions", db_index=False
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.MANUAL)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="Of the request that asked for it.")
    input = models.JSONField(default=dict, blank=True)
    # State
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    # Times
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ExecutionQuerySet] = ExecutionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=False, status__in=["succeeded", "failed", "cancelled"])
                | Q(finished_at=None, status__in=["queued", "running", "waiting"]),
                name="workflows_execution_finished_when_terminal",
            ),
        ]
        indexes = [
            models.Index(F("created_at").desc(), F("id").desc(), name="workflows_execution_newest"),
            models.Index(
                "workflow", F("created_at").desc(), F("id").desc(), name="workflows_execution_by_flow"
            ),
            models.Index(
                "status", F("created_at").desc(), F("id").desc(), name="workflows_execution_by_status"
            ),
        ]

    def __str__(self) -> str:
        return f"execution {self.id}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to the execution by itself."""
        return self.status in self.TERMINAL


class StepRun(models.Model):
    """One step of one execution: what went in, what came out, how often it was tried.

    Made for every step when the execution is made, so that a reader sees what is still to come.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"
        SKIPPED = "skipped"

    TERMINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.SKIPPED)
    # From each state to those that may follow it; see `workflows.engine.states`.
    TRANSITIONS = STEP_TRANSITIONS

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="steps", db_index=False)
    step_id = models.CharField(max_length=50)
    position = models.PositiveSmallIntegerField()
    uses = models.CharField(max_length=50)
    # State
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    interruptions = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts whose worker died; they do not count against the retries of the step."
    )
    # While a worker has the step in hand; a step that waits for its job or for a person has no lease.
    leased_by = models.CharField(max_length=200, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    # Input and output
    input = models.JSONField(null=True, blank=True)
    output = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    # A step that hands its work to a job waits for the job to end.
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="steps")
    # Approvals
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    # Times
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[StepRunQuerySet] = StepRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["execution", "position"]
        constraints = [
            models.UniqueConstraint(fields=["execution", "step_id"], name="workflows_step_once_an_execution"),
            models.CheckConstraint(
                condition=Q(leased_until=None) | Q(status="running"),
                name="workflows_step_leased_only_while_running",
            ),
            models.CheckConstraint(
                condition=Q(
                    finished_at__isnull=False, status__in=["succeeded", "failed", "cancelled", "skipped"]
                )
                | Q(finished_at=None, status__in=["queued", "running", "waiting"]),
                name="workflows_step_finished_when_terminal",
            ),
        ]
        indexes = [
            models.Index(
                fields=["leased_until", "id"], condition=Q(status="running"), name="workflows_step_running"
            ),
            models.Index(fields=["id"], condition=Q(status="waiting"), name="workflows_step_waiting"),
        ]

    def __str__(self) -> str:
        return f"step {self.step_id}"

    @property
    def role(self) -> str | None:
        """The least role that may decide, of a step that waits for an approval."""
        given: Any = self.input or {}
        return given.get("role", REVIEWER) if self.uses == "approval" else None
