"""Workflows and executions as the API shows and takes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from nexus.api.serializers import ModelSerializer, Serializer
from workflows import examples
from workflows.engine import DEFINITION_SCHEMA
from workflows.models import Execution, StepRun, Workflow, WorkflowVersion

ANY_OBJECT = {"type": "object", "additionalProperties": True}
NOTE_LENGTH = 2000


@extend_schema_field(dict(DEFINITION_SCHEMA))
class DefinitionField(serializers.JSONField):
    """What starts a workflow and what its steps are; the service checks it."""


@extend_schema_field(ANY_OBJECT)
class ObjectField(serializers.JSONField):
    """An object of any JSON."""


@extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
class OptionalObjectField(serializers.JSONField):
    """An object of any JSON, or null."""


@extend_schema_serializer(examples=[examples.WORKFLOW, examples.NEW_WORKFLOW])
class WorkflowSerializer(ModelSerializer):
    """A workflow with its newest definition."""

    # The database holds the rule that names are unique; see `services.definitions`.
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5000, allow_blank=True, default="")
    enabled = serializers.BooleanField(default=True, help_text="Only an enabled workflow can be started.")
    definition = DefinitionField(help_text="Each change of it makes a version.")

    class Meta:
        model = Workflow
        fields = [
            "id",
            "name",
            "description",
            "enabled",
            "version",
            "definition",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["version", "created_by", "created_at", "updated_at"]
        extra_kwargs = {"version": {"help_text": "Of the definition, from 1."}}


@extend_schema_serializer(examples=[examples.VERSION])
class WorkflowVersionSerializer(ModelSerializer):
    """A definition as it was once saved."""

    definition = DefinitionField(read_only=True)
    created_by = serializers.IntegerField(source="created_by_id", read_only=True, allow_null=True)

    class Meta:
        model = WorkflowVersion
        fields = ["version", "definition", "created_by", "created_at"]
        read_only_fields = fields


class StepKindSerializer(serializers.Serializer[Any]):
    """A kind of step."""

    uses = serializers.CharField(help_text="What a definition calls it.")
    description = serializers.CharField()
    input_schema = ObjectField(help_text="JSON Schema (draft 2020-12) of `with`.")
    output_schema = ObjectField(help_text="JSON Schema of what later steps read as `steps.<id>.output`.")


class StepKindListSerializer(serializers.Serializer[Any]):
    """All kinds of steps, in the form of a list of one page."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = StepKindSerializer(many=True)


class StepRunSerializer(ModelSerializer):
    """A step of an execution."""

    id = serializers.CharField(source="step_id", read_only=True, help_text="As in the definition.")
    input = OptionalObjectField(
        read_only=True, help_text="With all expressions replaced; null until it runs."
    )
    output = OptionalObjectField(read_only=True, help_text="Null until it has succeeded.")
    role = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="Of an approval that waits: the least role that may decide.",
    )

    class Meta:
        model = StepRun
        fields = [
            "id",
            "uses",
            "status",
            "attempts",
            "interruptions",
            "retry_at",
            "input",
            "output",
            "error",
            "job",
            "role",
            "decided_by",
            "decided_at",
            "note",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.EXECUTION])
class ExecutionSerializer(ModelSerializer):
    """An execution without its steps."""

    workflow_name = serializers.CharField(source="workflow.name", read_only=True)
    version = serializers.IntegerField(
        source="version.version", read_only=True, help_text="Of the definition."
    )

    class Meta:
        model = Execution
        fields = [
            "id",
            "workflow",
            "workflow_name",
            "version",
            "trigger",
            "started_by",
            "input",
            "status",
            "error",
            "cancel_requested_at",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields
        extra_kwargs = {"input": {"help_text": "An object: what expressions read as `input`."}}


@extend_schema_serializer(examples=[examples.EXECUTION_DETAIL])
class ExecutionDetailSerializer(ExecutionSerializer):
    """An execution with its definition as it was, and its steps."""

    definition = DefinitionField(source="version.definition", read_only=True)
    steps = StepRunSerializer(many=True, read_only=True)

    class Meta(ExecutionSerializer.Meta):
        fields = [*ExecutionSerializer.Meta.fields, "definition", "steps"]
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.NEW_EXECUTION])
class StartSerializer(Serializer):
    """How an execution is started."""

    input = ObjectField(required=False, help_text="What expressions read as `input`.")


@extend_schema_serializer(examples=[examples.NOTE])
class DecisionSerializer(Serializer):
    """What goes with a decision."""

    note = serializers.CharField(max_length=NOTE_LENGTH, allow_blank=True, default="")
