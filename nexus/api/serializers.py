"""The base of every serializer that reads a request: what it does not know, it refuses."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

# REST framework takes 5 for "5" and "yes" for true; the schema promises that neither is accepted.
JSON_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], str], ...] = (
    (serializers.CharField, (str,), "a string"),
    (serializers.UUIDField, (str,), "a string"),
    (serializers.BooleanField, (bool,), "true or false"),
    (serializers.IntegerField, (int, float), "an integer"),
    (serializers.FloatField, (int, float), "a number"),
)


class StrictMixin:
    """Refuses fields that the serializer does not have, and values of another JSON type, and names them.

    Fields that are only read are refused too, except when a client sends back what it was given unchanged in shape:
    they are ignored, as a PUT of a resource that was just read carries them.
    """

    def to_internal_value(self, data: Any) -> Any:
        """The validated values. Raises ValidationError naming every unknown field and wrong type."""
        if isinstance(data, Mapping):
            fields: Mapping[str, Any] = self.fields  # type: ignore[attr-defined]
            errors = unknown_fields(data, fields)
            # A form has no types: everything in it is text.
            if not isinstance(data, QueryDict):
                errors |= wrong_types(data, fields)
            if errors:
                raise serializers.ValidationError(errors)
        return super().to_internal_value(data)  # type: ignore[misc]


def unknown_fields(data: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """An error for each name in the data that is no field."""
    message = f"Unknown field. Known are: {', '.join(fields)}."
    return {name: serializers.ErrorDetail(message, "unknown_field") for name in data if name not in fields}


def wrong_types(data: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """An error for each value whose JSON type is not that of its field."""
    errors = {}
    for name, value in data.items():
        field = fields.get(name)
        if value is None or field is None or field.read_only:
            continue
        for kind, types, expected in JSON_TYPES:
            if isinstance(field, kind) and type(value) not in types:
                errors[name] = serializers.ErrorDetail(f"Give {expected}.", "invalid")
    return errors


class Serializer(StrictMixin, serializers.Serializer[Any]):
    """A strict serializer of plain fields."""


class ModelSerializer(StrictMixin, serializers.ModelSerializer[Any]):
    """A strict serializer of a model."""
