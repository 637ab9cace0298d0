"""Jobs for staff: progress, chunks and log lines to look at, and cancel and retry as actions."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each
from nexus.jobs import services
from nexus.jobs.models import Chunk, Job, LogLine

SHOWN_LINES = 100
# Until a browser asks for the page of a job again that has not ended.
REFRESH_S = "3"
# What the buttons of a job's page do, by their names.
STEERING = {"_cancel": (services.cancel, "asked to stop"), "_retry": (services.retry, "queued again")}


@admin.register(Job)
class JobAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Long work of every kind."""

    list_display = ["id", "reason", "status", "progress", "failed", "eta", "created_by", "created_at", "kind"]
    # There are few kinds.
    sortable_by = ["created_at"]
    list_filter = ["status", "kind"]
    list_select_related = ["created_by"]
    search_keys = ("id",)
    search_help_text = "The id of a job."
    actions = ["cancel_jobs", "retry_jobs"]
    SHOWN = (
        "kind",
        "status",
        "progress",
        "eta",
        "chunks",
        "set_aside",
        "error",
        "log",
        "created_by",
        "reason",
        "request_id",
        "parameters",
        "result",
        "created_at",
        "started_at",
        "prepared_at",
        "cancel_requested_at",
        "finished_at",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """How far it is first, then where it came from."""
        return list(self.SHOWN)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field that is shown."""
        return list(self.SHOWN)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of a job, which the browser asks for again until the job has ended; or what its buttons do."""
        if request.method == "POST":
            return self._steer(request, object_id)
        answer = super().change_view(request, object_id, form_url, extra_context)
        job = getattr(answer, "context_data", {}).get("original")
        if job is not None and not job.is_finished:
            answer.headers["Refresh"] = REFRESH_S
        return answer

    def _steer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do what the button says that was pressed. Raises PermissionDenied."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        job = get_object_or_404(Job, pk=object_id)
        for name in STEERING.keys() & request.POST.keys():
            do, done = STEERING[name]
            do_with_each(self, request, [job], do, done)
        return HttpResponseRedirect(reverse("admin:nexus_jobs_job_change", args=[job.pk]))

    @admin.display(description="progress")
    def progress(self, job: Job) -> SafeString:
        """A bar of what is done, with the numbers beside it; of the preparation while there is nothing to do yet."""
        is_prepared = job.prepared_at is not None or job.processed > 0
        done = job.processed if is_prepared else job.prepared
        return format_html(
            '<progress value="{}" max="{}"></progress> {} / {}{}',
            done,
            max(job.total, 1),
            done,
            job.total,
            "" if is_prepared or not done else " prepared",
        )

    @admin.display(description="ends in")
    def eta(self, job: Job) -> str:
        """Minutes and seconds at the pace so far."""
        if job.is_finished or job.eta_s is None:
            return "-"
        minutes, seconds = divmod(round(job.eta_s), 60)
        return f"{minutes} min {seconds} s"

    @admin.display(description="chunks")
    def chunks(self, job: Job) -> SafeString:
        """How many chunks there are in each state, and the way to them."""
        counted = job.chunks.order_by().values_list("status").annotate(Count("id"))
        address = reverse("admin:nexus_jobs_chunk_changelist")
        states = ", ".join(f"{number} {status}" for status, number in sorted(counted)) or "none"
        return format_html('<a href="{}?q={}">{}</a>', address, job.pk, states)

    @admin.display(description="set aside")
    def set_aside(self, job: Job) -> SafeString | str:
        """Chunks that failed three times, and why."""
        failed = job.chunks.filter(status=Chunk.Status.FAILED).order_by("position")[:SHOWN_LINES]
        rows = [(one.position, one.first, one.first + one.size - 1, one.error) for one in failed]
        return format_html_join("", "<div>Chunk {} (items {} to {}): {}</div>", rows) or "-"

    @admin.display(description="log")
    def log(self, job: Job) -> SafeString | str:
        """The newest lines first."""
        lines = LogLine.objects.filter(job=job).select_related("user")[:SHOWN_LINES]
        rows = [(f"{one.at:%Y-%m-%d %H:%M:%S}", one.level, _subject(one), one.message) for one in lines]
        return format_html_join("", "<div>{} {} {}{}</div>", rows) or "-"

    @admin.action(description="Cancel", permissions=["change"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Ask the chosen jobs to stop."""
        do_with_each(self, request, queryset, services.cancel, "asked to stop")

    @admin.action(description="Retry what failed or was not done", permissions=["change"])
    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Take up what failed in the chosen jobs."""
        do_with_each(self, request, queryset, services.retry, "queued again")


def _subject(line: LogLine) -> str:
    """The chunk, the worker and the user that a line is about."""
    parts = [f"chunk {line.chunk}" if line.chunk is not None else "", line.worker, str(line.user or "")]
    named = ", ".join(part for part in parts if part)
    return f"[{named}] " if named else ""


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyMixin, LargeTableAdmin):
    """The parts of jobs."""

    list_display = ["job", "position", "size", "status", "attempts", "leased_by", "leased_until", "error"]
    list_filter = ["status"]
    ordering = ["-id"]
    search_keys = ("job_id",)
    search_help_text = "The id of a job."
