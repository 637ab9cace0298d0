"""Jobs for staff: progress to look at, and cancel and retry as actions."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each
from nexus.jobs import services
from nexus.jobs.models import Chunk, Job


@admin.register(Job)
class JobAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Long work of every kind."""

    list_display = ["id", "kind", "status", "progress", "failed", "created_by", "created_at", "finished_at"]
    list_filter = ["status", "kind"]
    list_select_related = ["created_by"]
    search_keys = ("id",)
    search_help_text = "The id of a job."
    actions = ["cancel_jobs", "retry_jobs"]

    @admin.display(description="progress")
    def progress(self, job: Job) -> str:
        """A bar of what is done, with the numbers beside it."""
        return format_html(
            '<progress value="{}" max="{}"></progress> {} / {}',
            job.processed,
            max(job.total, 1),
            job.processed,
            job.total,
        )

    @admin.action(description="Cancel", permissions=["change"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Ask the chosen jobs to stop."""
        do_with_each(self, request, queryset, services.cancel, "asked to stop")

    @admin.action(description="Retry what failed or was not done", permissions=["change"])
    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Take up what failed in the chosen jobs."""
        do_with_each(self, request, queryset, services.retry, "queued again")


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyMixin, LargeTableAdmin):
    """The parts of jobs."""

    list_display = ["job", "position", "size", "status", "attempts", "leased_by", "leased_until", "error"]
    list_filter = ["status"]
    ordering = ["-id"]
    search_keys = ("job_id",)
    search_help_text = "The id of a job."
