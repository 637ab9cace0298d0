"""The short way from rows to JSON: no model instances and no serializer run, for lists and single resources.

The serializer stays the contract. A `RowReader` is compiled from it once, when every field of it is a column that
JSON can hold as it is, a nested serializer of such fields, or a field that names in `column` which column of a
related row it shows; a serializer with a field that needs Python is read in the ordinary way. `nexus/api/tests` hold
that both ways give the same bytes for every viewset.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db.models import QuerySet
from rest_framework import fields, relations, serializers

Getter = Callable[[Sequence[Any]], Any]

# Fields whose representation is the column's own value, or one that `to_json` writes in the same way.
PLAIN_FIELDS = {
    fields.BooleanField,
    fields.CharField,
    fields.ChoiceField,
    fields.DateTimeField,
    fields.EmailField,
    fields.FloatField,
    fields.IntegerField,
    fields.IPAddressField,
    fields.JSONField,
    fields.SlugField,
    fields.UUIDField,
    relations.PrimaryKeyRelatedField,
}


class RowReader:
    """Reads the rows of a queryset as the dictionaries that a serializer would give."""

    def __init__(self, serializer: serializers.Serializer[Any]) -> None:
        self.paths: list[str] = []
        self._getters = self._compile(serializer, prefix="")

    def read(self, queryset: QuerySet[Any]) -> list[dict[str, Any]]:
        """The rows of a queryset in its order."""
        return [row for row, _ in self.read_with(queryset, ())]

    def read_with(
        self, queryset: QuerySet[Any], names: Sequence[str]
    ) -> list[tuple[dict[str, Any], tuple[Any, ...]]]:
        """The rows of a queryset, each with the values of some more columns or annotations."""
        getters, width = self._getters, len(self.paths)
        return [
            ({name: getter(row) for name, getter in getters}, row[width:])
            for row in queryset.values_list(*self.paths, *names)
        ]

    def _compile(self, serializer: serializers.Serializer[Any], prefix: str) -> list[tuple[str, Getter]]:
        return [
            (name, self._getter(field, prefix))
            for name, field in serializer.fields.items()
            if not field.write_only
        ]

    def _getter(self, field: Any, prefix: str) -> Getter:
        path = prefix + field.source.replace(".", "__")
        if isinstance(field, serializers.Serializer):
            return self._nested(field, path)
        plain = field.child if type(field) is fields.ListField else field
        if column := getattr(field, "column", None):
            path = f"{path}__{column}"
        elif type(plain) not in PLAIN_FIELDS:
            raise TypeError(f"{field.field_name} needs Python")
        self.paths.append(path)
        index = len(self.paths) - 1
        return lambda row: row[index]

    def _nested(self, serializer: serializers.Serializer[Any], path: str) -> Getter:
        """A nested object, or null where its primary key is null."""
        getters = self._compile(serializer, prefix=f"{path}__")
        key = dict(getters)["id"]
        return lambda row: None if key(row) is None else {name: getter(row) for name, getter in getters}


@cache
def row_reader(serializer_class: Any) -> RowReader | None:
    """The reader of a serializer class, or None when one of its fields needs Python."""
    serializer = serializer_class()
    if not isinstance(serializer, serializers.Serializer):
        return None
    if type(serializer).to_representation is not serializers.Serializer.to_representation:
        return None
    try:
        return RowReader(serializer)
    except (TypeError, KeyError):
        return None
