"""Workflows, their versions, and their executions."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.filters import FilterSet, filter_strictly
from nexus.api.views import GenericViewSet, ListMixin, ModelViewSet, ReadOnlyViewSet
from workflows.filters import ExecutionFilterSet, WorkflowExecutionFilterSet, WorkflowFilterSet
from workflows.models import Execution, StepRun, Workflow, WorkflowVersion
from workflows.serializers import (
    DecisionSerializer,
    ExecutionDetailSerializer,
    ExecutionSerializer,
    StartSerializer,
    StepKindListSerializer,
    StepKindSerializer,
    WorkflowSerializer,
    WorkflowVersionSerializer,
)
from workflows.services import definitions, executions
from workflows.steps import registry

READ_WORKFLOW = "workflows.view_workflow"
READ_EXECUTION = "workflows.view_execution"
STEER = "workflows.change_execution"
DECIDE = "workflows.change_steprun"


@extend_schema(tags=["Workflows"])
@extend_schema_view(
    list=extend_schema(summary="List workflows", description="Those that are not archived."),
    retrieve=extend_schema(summary="Read a workflow"),
    create=extend_schema(
        summary="Create a workflow",
        description="The definition is checked as a whole: every fault is an error with a pointer to its place. "
        "409 `name_taken` when another workflow has the name. Executions are started by hand: `schedule` and `event` "
        "below `on` are checked and kept, and start none.",
    ),
    update=extend_schema(
        summary="Replace a workflow",
        description="A definition that differs becomes a version; executions that run keep the one they began with.",
    ),
    partial_update=extend_schema(summary="Change a workflow", description="Only the fields that are given."),
    destroy=extend_schema(
        summary="Archive a workflow",
        description="409 `executions_running` while executions have not ended. Its versions and executions stay.",
    ),
)
class WorkflowViewSet(ModelViewSet):
    """Workflows."""

    queryset = Workflow.objects.live().with_definition()
    serializer_class = WorkflowSerializer
    filterset_class = WorkflowFilterSet
    ordering_fields = ("id", "name", "created_at", "updated_at")
    permissions = {
        "list": READ_WORKFLOW,
        "retrieve": READ_WORKFLOW,
        "create": "workflows.add_workflow",
        "update": "workflows.change_workflow",
        "partial_update": "workflows.change_workflow",
        "destroy": "workflows.delete_workflow",
        "step_kinds": READ_WORKFLOW,
    }

    def perform_create(self, serializer: Any) -> Workflow:
        """Save the workflow and its first version."""
        workflow = definitions.create_workflow(**serializer.validated_data, user_id=self.request.user.pk)
        return self.get_queryset().get(pk=workflow.pk)

    def perform_update(self, serializer: Any) -> Workflow:
        """Save what differs."""
        changes = serializer.validated_data
        definitions.update_workflow(serializer.instance, changes, user_id=self.request.user.pk)
        return self.get_queryset().get(pk=serializer.instance.pk)

    def perform_destroy(self, instance: Workflow) -> None:
        """Archive it."""
        definitions.archive_workflow(instance)

    @extend_schema(
        summary="List the kinds of steps",
        description="Every kind that a definition may use, with the JSON Schema of its inputs and outputs.",
        responses=StepKindListSerializer,
        filters=False,
        parameters=[],
    )
    @action(detail=False, url_path="step-kinds", pagination_class=None, filterset_class=None)
    def step_kinds(self, request: Request) -> HttpResponse:
        """All kinds of steps, by name."""
        filter_strictly(_NoParameters, request, Workflow.objects.none())
        kinds = StepKindSerializer(registry.all(), many=True).data
        return answer(request, {"count": len(kinds), "next": None, "previous": None, "results": kinds})


class _NoParameters(FilterSet):
    """For a list that is always whole."""

    class Meta:
        model = Workflow
        fields: list[str] = []

    @classmethod
    def parameters(cls) -> set[str]:
        return set()


class OfOneWorkflow(GenericViewSet):
    """What belongs to the workflow of the address, archived or not."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises Http404 when there is no such workflow, for those who may know."""
        super().initial(request, *args, **kwargs)
        if not Workflow.objects.filter(pk=kwargs["workflow_id"]).exists():
            raise Http404

    def get_queryset(self) -> QuerySet[Any]:
        """The rows of this workflow."""
        queryset = super().get_queryset()
        return queryset.filter(workflow_id=self.kwargs.get("workflow_id"))


@extend_schema(tags=["Workflows"])
@extend_schema_view(
    list=extend_schema(
        summary="List the versions of a workflow",
        description="Newest first. A version never changes; those of an archived workflow stay.",
    )
)
class WorkflowVersionViewSet(ListMixin, OfOneWorkflow):
    """The definitions that a workflow has had."""

    queryset = WorkflowVersion.objects.order_by("-version")
    serializer_class = WorkflowVersionSerializer
    permissions = {"list": "workflows.view_workflowversion"}


@extend_schema(tags=["Executions"])
@extend_schema_view(
    list=extend_schema(summary="List the executions of a workflow", description="Newest first.")
)
class WorkflowExecutionViewSet(ListMixin, OfOneWorkflow):
    """The executions of a workflow."""

    queryset = Execution.objects.all()
    serializer_class = ExecutionSerializer
    filterset_class = WorkflowExecutionFilterSet
    ordering_fields = ("created_at",)
    permissions = {"list": READ_EXECUTION, "create": executions.PERMISSION}

    @extend_schema(
        summary="Start a workflow",
        description="Starts the newest version. `Location` is where the execution can be watched. 409 "
        "`workflow_disabled`, or `not_started_by_hand` when the definition has no `manual` under `on`.",
        request=StartSerializer,
        responses={202: ExecutionDetailSerializer},
    )
    def create(self, request: Request, workflow_id: int) -> HttpResponse:
        """Start an execution."""
        serializer = StartSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        execution = executions.start(
            workflow_id=workflow_id, given=serializer.validated_data.get("input"), user_id=request.user.pk
        )
        location = request.build_absolute_uri(f"/api/v1/executions/{execution.pk}")
        return answer(request, shown(execution.pk), 202, Location=location)


def shown(execution_id: Any) -> dict[str, Any]:
    """An execution as the API shows it. Raises Http404."""
    execution = with_steps().filter(pk=execution_id).first()
    if execution is None:
        raise Http404
    return dict(ExecutionDetailSerializer(execution).data)


def with_steps() -> QuerySet[Execution]:
    """Executions with all that their representation needs, in two queries."""
    steps = Prefetch("steps", StepRun.objects.order_by("position"))
    return Execution.objects.select_related("workflow", "version").prefetch_related(steps)


STEP = OpenApiParameter(
    "step", str, OpenApiParameter.PATH, description="The id of the step in the definition."
)


@extend_schema(tags=["Executions"])
@extend_schema_view(
    list=extend_schema(summary="List executions", description="Of all workflows, newest first.")
)
class ExecutionViewSet(ReadOnlyViewSet):
    """Executions of all workflows."""

    queryset = Execution.objects.all()
    serializer_class = ExecutionSerializer
    filterset_class = ExecutionFilterSet
    ordering_fields = ("created_at",)
    lookup_value_converter = "uuid"
    permissions = {
        "list": READ_EXECUTION,
        "retrieve": READ_EXECUTION,
        "cancel": STEER,
        "retry": STEER,
        "approve": DECIDE,
        "reject": DECIDE,
    }

    @extend_schema(
        summary="Read an execution",
        description="With the definition as it was, and every step: attempts, times, output, error.",
        responses=ExecutionDetailSerializer,
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """One execution with its steps."""
        return answer(request, shown(pk))

    @extend_schema(
        summary="Cancel an execution",
        description="What is done stays; what runs is told to end, its jobs too. 409 `execution_finished`.",
        request=None,
        responses={202: ExecutionDetailSerializer},
    )
    @action(detail=True, methods=["post"], takes_body=False)
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """Stop an execution."""
        executions.cancel(pk)
        return answer(request, shown(pk), 202)

    @extend_schema(
        summary="Retry an execution",
        description="Takes up the steps that failed, were cancelled, or were skipped for that. A step that succeeded "
        "is not run again. 409 `nothing_to_retry`.",
        request=None,
        responses={202: ExecutionDetailSerializer},
    )
    @action(detail=True, methods=["post"], takes_body=False)
    def retry(self, request: Request, pk: str) -> HttpResponse:
        """Take up what failed."""
        executions.retry(pk)
        return answer(request, shown(pk), 202)

    @extend_schema(
        summary="Approve a step",
        description="For users with the role that the step asks for, or a higher one. 409 `already_decided` when "
        "somebody was first, `not_waiting` when the step has not come so far.",
        request=DecisionSerializer,
        responses=ExecutionDetailSerializer,
        parameters=[STEP],
    )
    @action(detail=True, methods=["post"], url_path="steps/<slug:step>/approve")
    def approve(self, request: Request, pk: str, step: str) -> HttpResponse:
        """Let the execution go on."""
        return self._decide(request, pk, step, approve=True)

    @extend_schema(
        summary="Reject a step",
        description="The step fails, and what needs it is skipped. Otherwise like approving.",
        request=DecisionSerializer,
        responses=ExecutionDetailSerializer,
        parameters=[STEP],
    )
    @action(detail=True, methods=["post"], url_path="steps/<slug:step>/reject")
    def reject(self, request: Request, pk: str, step: str) -> HttpResponse:
        """Let the step fail."""
        return self._decide(request, pk, step, approve=False)

    def _decide(self, request: Request, pk: str, step: str, *, approve: bool) -> HttpResponse:
        serializer = DecisionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        note = serializer.validated_data["note"]
        executions.decide(execution_id=pk, step_id=step, approve=approve, user=request.user, note=note)
        return answer(request, shown(pk))
