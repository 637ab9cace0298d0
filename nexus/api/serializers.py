"""The base of every serializer that reads a request: what it does not know, it refuses."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictMixin:
    """Refuses fields that the serializer does not have, and names them.

    Fields that are only read are refused too, except when a client sends back what it was given unchanged in shape:
    they are ignored, as a PUT of a resource that was just read carries them.
    """

    def to_internal_value(self, data: Any) -> Any:
        """The validated values. Raises ValidationError naming every unknown field."""
        if isinstance(data, Mapping):
            fields: Mapping[str, Any] = self.fields  # type: ignore[attr-defined]
            unknown = [name for name in data if name not in fields]
            if unknown:
                message = f"Unknown field. Known are: {', '.join(fields)}."
                raise serializers.ValidationError(
                    {name: serializers.ErrorDetail(message, "unknown_field") for name in unknown}
                )
        return super().to_internal_value(data)  # type: ignore[misc]


class Serializer(StrictMixin, serializers.Serializer[Any]):
    """A strict serializer of plain fields."""


class ModelSerializer(StrictMixin, serializers.ModelSerializer[Any]):
    """A strict serializer of a model."""
