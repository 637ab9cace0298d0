"""Workflows, executions and approvals for staff."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html

from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each
from nexus.api.errors import Problem
from workflows.models import Execution, StepRun, Workflow, WorkflowVersion
from workflows.querysets import WorkflowQuerySet
from workflows.services import definitions, executions

# Longer inputs and outputs are cut: a list of 100,000 ids helps nobody on a page.
SHOWN_CHARACTERS = 500


def shortened(value: Any) -> str:
    """A JSON value as text, cut where it is too long to be read."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} …"


class IndentedEncoder(json.JSONEncoder):
    """JSON on several lines, as people write it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2})


class WorkflowForm(forms.ModelForm):
    """A workflow with its definition, which the service checks."""

    definition = forms.JSONField(
        encoder=IndentedEncoder,
        widget=forms.Textarea(attrs={"rows": 30, "cols": 100, "spellcheck": "false"}),
        help_text="Each change of it makes a version. The kinds of steps: GET /api/v1/workflows/step-kinds.",
    )

    class Meta:
        model = Workflow
        fields = ["name", "description", "enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "definition" in self.fields:
            self.initial["definition"] = definitions.current_definition(self.instance)

    def clean_name(self) -> str:
        """The name. Raises ValidationError when another workflow has it."""
        name: str = self.cleaned_data["name"]
        if Workflow.objects.live().filter(name=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Another workflow has this name.", code="name_taken")
        return name

    def clean_definition(self) -> Any:
        """The definition. Raises ValidationError with every fault of it."""
        definition = self.cleaned_data["definition"]
        if errors := definitions.definition_errors(definition):
            raise forms.ValidationError(
                [
                    forms.ValidationError(f"{e['pointer'] or '/'}: {e['detail']}", code=e["code"])
                    for e in errors
                ]
            )
        return definition


class VersionInline(ReadOnlyMixin, admin.TabularInline):
    """The definitions that a workflow has had."""

    model = WorkflowVersion
    fields = ["version", "created_by", "created_at"]
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Versions without their definitions, which their own page shows."""
        return super().get_queryset(request).select_related("created_by").defer("definition")


@admin.register(Workflow)
class WorkflowAdmin(LargeTableAdmin):
    """Workflows: their definitions, and a way to start them."""

    form = WorkflowForm
    fields = ["name", "description", "enabled", "definition"]
    inlines = [VersionInline]
    list_display = ["name", "enabled", "version", "created_by", "updated_at", "archived_at"]
    stays_small = True
    list_filter = ["enabled", ("archived_at", admin.EmptyFieldListFilter)]
    list_select_related = ["created_by"]
    search_fields = ["name", "description"]
    actions = ["run_now", "archive"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Workflows are archived: their executions still name them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An archived workflow is only read."""
        return super().has_change_permission(request, obj) and (obj is None or obj.archived_at is None)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether the user may start workflows."""
        return request.user.has_perm("workflows.add_execution")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        """Whether the user may archive workflows."""
        return request.user.has_perm("workflows.delete_workflow")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; what the service refuses at the last moment is told on it."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Problem as problem:
            self.message_user(request, str(problem.detail), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Workflow, form: Any, change: bool) -> None:
        """Create or change through the service."""
        values = {name: form.cleaned_data[name] for name in (*definitions.FIELDS, "definition")}
        if change:
            stored = Workflow.objects.select_for_update().get(pk=obj.pk)
            definitions.update_workflow(stored, values, user_id=request.user.pk)
        else:
            obj.pk = definitions.create_workflow(**values, user_id=request.user.pk).pk

    @admin.action(description="Run now", permissions=["run"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        """Start an execution of each chosen workflow."""
        user = request.user.pk
        do_with_each(
            self, request, queryset, lambda w: executions.start(workflow_id=w.pk, user_id=user), "started"
        )

    @admin.action(description="Archive", permissions=["archive"])
    def archive(self, request: HttpRequest, queryset: WorkflowQuerySet) -> None:
        """Take the chosen workflows out of use."""
        do_with_each(self, request, queryset.live(), definitions.archive_workflow, "archived")


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(ReadOnlyMixin, LargeTableAdmin):
    """A definition as it was."""

    list_display = ["id", "workflow", "version", "created_by", "created_at"]
    list_select_related = ["workflow", "created_by"]
    ordering = ["-id"]
    search_fields = ["workflow__name"]
    fields = ["workflow", "version", "shown_definition", "created_by", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field."""
        return [*super().get_readonly_fields(request, obj), "shown_definition"]

    @admin.display(description="definition")
    def shown_definition(self, version: WorkflowVersion) -> str:
        """The definition, readable."""
        return format_html("<pre>{}</pre>", json.dumps(version.definition, indent=2, ensure_ascii=False))


class StepInline(ReadOnlyMixin, admin.TabularInline):
    """The steps of an execution."""

    model = StepRun
    fields = ["step_id", "uses", "status", "attempts", "started_at", "finished_at", "error", "job", "result"]
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Steps in their order."""
        return super().get_queryset(request).select_related("job").order_by("position")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field."""
        return [*super().get_readonly_fields(request, obj), "result"]

    @admin.display(description="output")
    def result(self, step: StepRun) -> str:
        """The output, cut where it is long."""
        return shortened(step.output) if step.output is not None else "-"


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyMixin, LargeTableAdmin):
    """What has run and what runs."""

    list_display = [
        "id",
        "workflow",
        "trigger",
        "status",
        "progress",
        "started_by",
        "created_at",
        "finished_at",
    ]
    list_filter = ["status", "trigger"]
    list_select_related = ["workflow", "started_by"]
    search_keys = ("id", "workflow_id")
    search_help_text = "The id of an execution or of a workflow."
    fields = [
        "workflow",
        "version",
        "trigger",
        "started_by",
        "status",
        "error",
        "input",
        "request_id",
        "created_at",
        "started_at",
        "cancel_requested_at",
        "finished_at",
    ]
    inlines = [StepInline]
    actions = ["cancel_executions", "retry_executions"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Execution]:
        """Executions with the states of their steps."""
        states = StepRun.objects.only("execution_id", "status")
        return super().get_queryset(request).prefetch_related(Prefetch("steps", states))

    @admin.display(description="progress")
    def progress(self, execution: Execution) -> str:
        """A bar of the steps that have ended, with the numbers beside it."""
        steps = list(execution.steps.all())
        ended = sum(step.status in StepRun.TERMINAL for step in steps)
        return format_html(
            '<progress value="{}" max="{}"></progress> {} / {}', ended, max(len(steps), 1), ended, len(steps)
        )

    @admin.action(description="Cancel", permissions=["change"])
    def cancel_executions(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        """Stop the chosen executions."""
        do_with_each(
            self, request, queryset, lambda execution: executions.cancel(execution.pk), "asked to stop"
        )

    @admin.action(description="Retry what failed", permissions=["change"])
    def retry_executions(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        """Take up what failed in the chosen executions."""
        do_with_each(
            self, request, queryset, lambda execution: executions.retry(execution.pk), "queued again"
        )


class ApprovalFilter(admin.SimpleListFilter):
    """What waits for a person, or all steps."""

    title = parameter_name = "approval"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one choice beside all."""
        return [("open", "waits for a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The approvals that wait, the longest waiting first."""
        return queryset.filter(status=StepRun.Status.WAITING).order_by("id") if self.value() else queryset


@admin.register(StepRun)
class StepRunAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Steps of executions; those that wait for an approval can be decided here."""

    list_display = [
        "id",
        "workflow",
        "step_id",
        "uses",
        "status",
        "attempts",
        "role",
        "started_at",
        "decided_by",
    ]
    list_filter = [ApprovalFilter, "status"]
    list_select_related = ["execution__workflow", "decided_by"]
    ordering = ["-id"]
    search_keys = ("execution_id",)
    search_help_text = "The id of an execution."
    actions = ["approve", "reject"]
    fields = [
        "execution",
        "step_id",
        "uses",
        "status",
        "attempts",
        "interruptions",
        "error",
        "given",
        "result",
        "job",
        "role",
        "decided_by",
        "decided_at",
        "note",
        "retry_at",
        "leased_by",
        "leased_until",
        "deadline_at",
        "started_at",
        "finished_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepRun]:
        """Steps; a list needs no outputs."""
        return super().get_queryset(request).defer("output")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field."""
        return [*super().get_readonly_fields(request, obj), "given", "result", "role"]

    @admin.display(description="workflow")
    def workflow(self, step: StepRun) -> str:
        """The name of the workflow."""
        return step.execution.workflow.name

    @admin.display(description="input")
    def given(self, step: StepRun) -> str:
        """The input, cut where it is long."""
        return shortened(step.input)

    @admin.display(description="output")
    def result(self, step: StepRun) -> str:
        """The output, cut where it is long."""
        return shortened(step.output)

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[StepRun]) -> None:
        """Let the executions of the chosen steps go on."""
        self._decide(request, queryset, approve=True)

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[StepRun]) -> None:
        """Let the chosen steps fail."""
        self._decide(request, queryset, approve=False)

    def _decide(self, request: HttpRequest, queryset: QuerySet[StepRun], *, approve: bool) -> None:
        def decide(step: StepRun) -> None:
            executions.decide(
                execution_id=step.execution_id, step_id=step.step_id, approve=approve, user=request.user
            )

        do_with_each(self, request, queryset, decide, "approved" if approve else "rejected")
