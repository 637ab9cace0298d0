"""The one record of all work that takes time: classification, import, export, training and the like.

A job is rows first and messages second. Its work is cut into chunks; a worker claims a chunk under a lease, and
the end of a job is decided by counting its chunks. Whatever dies, the rows tell what is still to be done.
"""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from nexus.jobs.querysets import ChunkQuerySet, FileQuerySet, JobQuerySet


class Job(models.Model):
    """One piece of long work, with its progress. Who may see it: its owner, and administrators."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        PARTIALLY_FAILED = "partially_failed", "partially failed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (Status.QUEUED, Status.RUNNING)
    TERMINAL = (Status.SUCCEEDED, Status.PARTIALLY_FAILED, Status.FAILED, Status.CANCELLED)
    # From each state to those that may follow it. A retry takes an ended job back to the queue.
    TRANSITIONS = {
        Status.QUEUED: {Status.RUNNING, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED},
        Status.RUNNING: {Status.SUCCEEDED, Status.PARTIALLY_FAILED, Status.FAILED, Status.CANCELLED},
        Status.SUCCEEDED: set(),
        Status.PARTIALLY_FAILED: {Status.QUEUED},
        Status.FAILED: {Status.QUEUED},
        Status.CANCELLED: {Status.QUEUED},
    }

    MOST_IN_A_MOMENT = 500

    # Identification
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=50, help_text="What the job does, as registered in nexus.jobs.kinds.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="jobs", db_index=False
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="Of the request that asked for it.")
    reason = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why there is such a job."
    )
    # State
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Why the job as a whole failed.")
    # Preparation
    prepared = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Items that are cut into chunks so far."
    )
    prepared_to = models.JSONField(null=True, help_text="Where the next step of the preparation goes on.")
    prepared_at = models.DateTimeField(
        null=True, blank=True, help_text="When all items were cut into chunks."
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often the step of the preparation at hand was begun."
    )
    leased_by = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="The worker that prepares it, or did last.",
    )
    leased_until = models.DateTimeField(null=True, blank=True, help_text="While a worker prepares it.")
    # Progress, in items
    total = models.PositiveBigIntegerField(default=0)
    processed = models.PositiveBigIntegerField(default=0)
    succeeded = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    processed_before = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="How many of them before it was taken up again."
    )
    # Input and output
    parameters = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    # Times
    # From when the job was first thought of: what is done at once is saved when it has ended.
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(processed=F("succeeded") + F("failed"), processed__lte=F("total")),
                name="nexus_job_progress_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    finished_at__isnull=False,
                    status__in=["succeeded", "partially_failed", "failed", "cancelled"],
                )
                | Q(finished_at=None, status__in=["queued", "running"]),
                name="nexus_job_finished_when_terminal",
            ),
        ]
        indexes = [
            models.Index(F("created_at").desc(), F("id").desc(), name="nexus_job_newest"),
            models.Index("created_by", F("created_at").desc(), F("id").desc(), name="nexus_job_by_owner"),
            models.Index("kind", F("created_at").desc(), F("id").desc(), name="nexus_job_by_kind"),
            models.Index("status", F("created_at").desc(), F("id").desc(), name="nexus_job_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to the job by itself."""
        return self.status in self.TERMINAL

    @property
    def eta_s(self) -> float | None:
        """Seconds until the end at the pace so far; None before there is a pace, 0 at the end."""
        if self.is_finished:
            return 0.0
        done = self.processed - self.processed_before
        if not (done > 0 and self.started_at):
            return None
        elapsed = (timezone.now() - self.started_at).total_seconds()
        return round(elapsed / done * (self.total - self.processed), 1)

    @property
    def is_small(self) -> bool:
        """Whether it is known to be done in a moment, so that somebody may be waiting for it."""
        return self.total <= self.MOST_IN_A_MOMENT and (self.total > 0 or self.prepared_at is not None)

    def is_leased(self) -> bool:
        """Whether a worker is preparing it."""
        return self.leased_until is not None and self.leased_until > timezone.now()

    def is_in_work(self) -> bool:
        """Whether a worker is at it, and would have to notice that it is to stop."""
        return self.is_leased() or self.chunks.filter(status=Chunk.Status.RUNNING).exists()


class Chunk(models.Model):
    """A part of a job's items, worked off by one worker at a time.

    `position` numbers the chunks of a job from 0; the items of a chunk are those from `first` on, `size` of them.
    `input` holds what the kind needs to find them (such as product ids).
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    MAX_ATTEMPTS = 3

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    position = models.PositiveIntegerField()
    first = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    input = models.JSONField(default=dict, blank=True)
    # State
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_by = models.CharField(max_length=200, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    offered_until = models.DateTimeField(null=True, blank=True, help_text="While a message speaks of it.")
    error = models.TextField(blank=True)
    # Items
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    objects = ChunkQuerySet.as_manager()

    class Meta:
        ordering = ["job", "position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="nexus_chunk_position_unique"),
            models.CheckConstraint(
                condition=Q(status="running", leased_until__isnull=False)
                | (~Q(status="running") & Q(leased_until=None)),
                name="nexus_chunk_leased_while_running",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "leased_until", "id"],
                condition=Q(status__in=["pending", "running"]),
                name="nexus_chunk_open",
            ),
            # The next one is found without a look at all those that are done.
            models.Index(
                fields=["job", "position"],
                condition=Q(status__in=["pending", "running"]),
                name="nexus_chunk_next",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.position}"


class LogLine(models.Model):
    """What happened to a job, written when it happens. The newest lines of each job are kept."""

    class Level(models.TextChoices):
        INFO = "info"
        WARNING = "warning"
        ERROR = "error"

    KEPT = 1_000

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines", db_index=False)
    at = models.DateTimeField(auto_now_add=True)
    level = models.CharField(max_length=7, choices=Level.choices, default=Level.INFO)
    message = models.TextField()
    chunk = models.PositiveIntegerField(null=True, help_text="The position of the chunk that it is about.")
    worker = models.CharField(max_length=200, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index("job", F("id").desc(), name="nexus_logline_newest"),
            # Looked up when a user is deleted.
            models.Index(fields=["user"], condition=Q(user__isnull=False), name="nexus_logline_by_user"),
        ]

    def __str__(self) -> str:
        return self.message

    @classmethod
    def write(cls, job: Job, message: str, level: str = Level.INFO, **where: Any) -> None:
        """Add a line, and forget the oldest of those that are too many. `where` names chunk, worker or user_id."""
        cls.objects.create(job=job, message=message.strip()[:2000], level=level, **where)
        newest = cls.objects.filter(job=job).order_by("-id")
        too_old = newest.values("id")[cls.KEPT : cls.KEPT + 1]
        cls.objects.filter(job=job, id__lte=models.Subquery(too_old)).delete()


class QueueHeartbeat(models.Model):
    """When a message has last gone through a queue: the difference between one that is idle and one that is deaf."""

    queue = models.CharField(primary_key=True, max_length=50)
    heard_at = models.DateTimeField()
    wait_s = models.FloatField(help_text="How long the message waited for a worker.")
    worker = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["queue"]

    def __str__(self) -> str:
        return self.queue


class File(models.Model):
    """A file of a job: what it was given, or what it made. Its bytes are in blocks; see `nexus.jobs.files`."""

    class Role(models.TextChoices):
        INPUT = "input"
        RESULT = "result"
        # What its workers need, and nobody else.
        WORK = "work"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="files", db_index=False)
    role = models.CharField(max_length=10, choices=Role.choices)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(default=0, help_text="In bytes.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of its bytes; empty until it is whole.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FileQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="nexus_file_name_unique")]

    def __str__(self) -> str:
        return self.name


class FileBlock(models.Model):
    """A part of a file. Blocks of one file are numbered from 0; all but the last have the same size."""

    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "position"], name="nexus_fileblock_position_unique")
        ]

    def __str__(self) -> str:
        return f"{self.file_id} {self.position}"
