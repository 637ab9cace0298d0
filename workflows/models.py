"""What is done with products: workflows, their versions, and the executions of them."""

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nexus.jobs.models import Job


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Workflow(models.Model):
    """A named sequence of steps. What the steps are stands in its versions; `version` is the newest."""

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=5000)
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(archived_at=None), name="workflows_workflow_name_unique"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="workflows_workflow_name_given"),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="workflows_workflow_by_name"),
            models.Index(fields=["updated_at", "id"], name="workflows_workflow_by_updated"),
        ]

    def __str__(self) -> str:
        return self.name


@pgtrigger.register(pgtrigger.Protect(name="immutable", operation=pgtrigger.Update))
class WorkflowVersion(models.Model):
    """A definition as it was once saved. The database refuses to change it."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    definition = models.JSONField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["workflow", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "version"], name="workflows_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} v{self.version}"


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

    class Trigger(models.TextChoices):
        MANUAL = "manual"
        SCHEDULE = "schedule"
        EVENT = "event"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="executions", db_index=False)
    version = models.ForeignKey(
        WorkflowVersion, on_delete=models.PROTECT, related_name="executions", db_index=False
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.MANUAL)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    input = models.JSONField(default=dict, blank=True)
    # State
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    # Times
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

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
            models.Index("workflow", F("created_at").desc(), F("id").desc(), name="workflows_execution_by_flow"),
            models.Index("status", F("created_at").desc(), F("id").desc(), name="workflows_execution_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} {self.id}"


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

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="steps", db_index=False)
    step_id = models.CharField(max_length=50)
    position = models.PositiveSmallIntegerField()
    uses = models.CharField(max_length=50)
    # State
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    # Input and output
    input = models.JSONField(null=True, blank=True)
    output = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    # A step that hands its work to a job waits for the job to end.
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="steps")
    # Approvals
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    # Times
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["execution", "position"]
        constraints = [
            models.UniqueConstraint(fields=["execution", "step_id"], name="workflows_step_once_an_execution"),
        ]
        indexes = [
            models.Index(
                fields=["leased_until", "id"], condition=Q(status="running"), name="workflows_step_leased"
            ),
            models.Index(fields=["id"], condition=Q(status="waiting"), name="workflows_step_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.execution_id} {self.step_id}"
