"""Imports as the API takes and shows them."""

from typing import Any

from rest_framework import serializers

from nexus.api.serializers import ModelSerializer, Serializer
from nexus.jobs.models import Job
from nexus.jobs.serializers import JobSerializer
from products.files.delimited import DELIMITERS, ENCODINGS
from products.models import ImportFault, ImportProfile
from products.services.imports.options import IGNORE, MODES, UNMAPPED, UPSERT, Options
from products.services.imports.work import counts

MAX_REFERENCE = 101


class ImportSerializer(Serializer):
    """A form with a file, and how it is to be imported. What is left out is guessed from the file."""

    file = serializers.FileField(
        required=False, help_text="CSV, XLSX or JSON lines, each also with gzip; its content says which."
    )
    job = serializers.UUIDField(
        required=False, help_text="In place of a file: an earlier import or dry run whose file is meant."
    )
    mode = serializers.ChoiceField(
        choices=MODES,
        default=UPSERT,
        help_text="`create` refuses SKUs that there are, `update` those that there are not.",
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Find every error and every change, and write no product."
    )
    mapping = serializers.JSONField(
        default=dict,
        help_text='JSON: from columns of the file to fields, or to `attributes.<name>`; "" passes a column over.',
    )
    profile = serializers.CharField(
        default="", allow_blank=True, max_length=100, help_text="The name of a kept mapping."
    )
    save_profile = serializers.CharField(
        default="", allow_blank=True, max_length=100, help_text="Keep how this file is read by this name."
    )
    delimiter = serializers.ChoiceField(choices=DELIMITERS, required=False)
    encoding = serializers.ChoiceField(choices=ENCODINGS, required=False)
    header = serializers.BooleanField(
        allow_null=True, default=None, help_text="Whether the first row names the columns."
    )
    taxonomy = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=MAX_REFERENCE,
        help_text="Of categories whose taxonomy the file does not name: `code` or `code@version`.",
    )
    unmapped = serializers.ChoiceField(
        choices=UNMAPPED, default=IGNORE, help_text="What becomes of columns that are not mapped."
    )

    def validate_mapping(self, value: Any) -> Any:
        """An object; whether its columns and targets exist is seen with the file."""
        if not isinstance(value, dict):
            raise serializers.ValidationError("A mapping is a JSON object.", "not_an_object")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one source of rows."""
        if ("file" in attrs) == ("job" in attrs):
            raise serializers.ValidationError({"file": "Give exactly one of file and job."}, "exactly_one")
        return attrs

    def options(self) -> Options:
        """What was asked for. Call it when the form is valid."""
        given = {name: value for name, value in self.validated_data.items() if name not in {"file", "job"}}
        return Options(**given)


class ImportJobSerializer(JobSerializer):
    """An import with its counts so far in `result`, which also says how its file is read."""

    def to_representation(self, instance: Job) -> dict[str, Any]:
        """The job."""
        shown = super().to_representation(instance)
        shown["result"] = {**instance.result, **counts(instance)}
        return shown


class LayoutSerializer(serializers.Serializer[Any]):
    """How a file is read."""

    format = serializers.ChoiceField(choices=["csv", "xlsx", "jsonl"])
    compressed = serializers.BooleanField()
    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    header = serializers.BooleanField()
    columns = serializers.ListField(child=serializers.CharField())


class PreviewRowSerializer(serializers.Serializer[Any]):
    """A row as it would be imported, as far as the row itself tells."""

    row = serializers.IntegerField()
    values = serializers.DictField()
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]


class PreviewSerializer(serializers.Serializer[Any]):
    """How a file would be imported."""

    layout = LayoutSerializer()
    mapping = serializers.DictField(child=serializers.CharField(), help_text="From columns to fields.")
    unmapped = serializers.ListField(child=serializers.CharField(), help_text="Columns that are passed over.")
    taxonomy = serializers.CharField()
    rows = PreviewRowSerializer(many=True)


class ImportFaultSerializer(ModelSerializer):
    """Something in a row that is wrong."""

    class Meta:
        model = ImportFault
        fields = ["id", "row", "column", "value", "code", "detail"]
        read_only_fields = fields


class ImportProfileSerializer(ModelSerializer):
    """How the files of one supplier are read."""

    name = serializers.CharField(max_length=100, help_text="Unique.")
    mapping = serializers.JSONField(
        help_text='From columns to fields, or to `attributes.<name>`; "" passes a column over.'
    )
    delimiter = serializers.ChoiceField(choices=DELIMITERS, allow_blank=True, default="")
    encoding = serializers.ChoiceField(choices=ENCODINGS, allow_blank=True, default="")
    header = serializers.BooleanField(allow_null=True, default=None)
    taxonomy = serializers.CharField(max_length=MAX_REFERENCE, allow_blank=True, default="")

    class Meta:
        model = ImportProfile
        fields = [
            "id",
            "name",
            "mapping",
            "delimiter",
            "encoding",
            "header",
            "taxonomy",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]
        # The database says whether a name is taken, and says it whatever the race.
        validators: list[Any] = []
