"""The short way from rows to JSON: no model instances and no serializer run, for lists and single resources.

The serializer stays the contract. A `RowReader` is compiled from it once, when every field of it is a column that
JSON can hold as it is, a nested serializer of such fields, or a field that names in `column` which column of a
related row it shows; a serializer with a field that needs Python is read in the ordinary way. `nexus/api/tests` hold
that both ways give the same bytes for every viewset.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import fields, relations, serializers

from nexus.api.prepared import Prepared

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
# The same for attributes of instances, of which a float may still be an integer.
PLAIN_ATTRIBUTES = PLAIN_FIELDS - {fields.FloatField, relations.PrimaryKeyRelatedField}


class RowReader:
    """Reads the rows of a queryset as the dictionaries that a serializer would give."""

    def __init__(self, serializer: serializers.Serializer[Any]) -> None:
        self.paths: list[str] = []
        self._getters = self._compile(serializer, prefix="")

    def read(self, queryset: QuerySet[Any]) -> list[dict[str, Any]]:
        """The rows of a queryset in its order."""
        return [row for row, _ in self.read_with(queryset, ())]

    def shown(self, row: Sequence[Any]) -> dict[str, Any]:
        """The dictionary of the values at `paths`."""
        return {name: getter(row) for name, getter in self._getters}

    def read_with(
        self, queryset: QuerySet[Any], names: Sequence[str]
    ) -> list[tuple[dict[str, Any], tuple[Any, ...]]]:
        """The rows of a queryset, each with the values of some more columns or annotations."""
        return self._split(queryset.values_list(*self.paths, *names))

    def read_first_page(
        self, queryset: QuerySet[Any], names: Sequence[str], *, fixed: QuerySet[Any]
    ) -> list[tuple[dict[str, Any], tuple[Any, ...]]]:
        """As `read_with`, of a queryset that is `fixed` (the same in every request) but for its order and its limit."""
        query = queryset.query
        page = first_page(self, fixed, tuple(query.order_by), query.high_mark or 0, tuple(names))
        return self._split(page.run(*page.parameters))

    def _split(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[dict[str, Any], tuple[Any, ...]]]:
        width = len(self.paths)
        return [(self.shown(row), row[width:]) for row in rows]

    def represent(self, instance: Model) -> dict[str, Any]:
        """A model instance as the same dictionary."""
        return self.shown([_value_at(instance, path) for path in self.paths])

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
        elif isinstance(field, relations.PrimaryKeyRelatedField):
            path += "_id"
        self.paths.append(path)
        index = len(self.paths) - 1
        return itemgetter(index)

    def _nested(self, serializer: serializers.Serializer[Any], path: str) -> Getter:
        """A nested object, or null where its primary key is null."""
        getters = self._compile(serializer, prefix=f"{path}__")
        key = dict(getters)["id"]
        return lambda row: None if key(row) is None else {name: getter(row) for name, getter in getters}


def _value_at(instance: Any, path: str) -> Any:
    """What lies at a path of names, such as ``category__taxonomy__code``; None where a step on it is None."""
    for name in path.split("__"):
        instance = None if instance is None else getattr(instance, name)
    return instance


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


@cache
def shower(serializer_class: Any) -> Callable[[Any], Any]:
    """What shows an instance as a serializer class does: attributes that are shown as they are without their fields."""
    serializer = serializer_class()
    if type(serializer).to_representation is not serializers.Serializer.to_representation:
        shown: Callable[[Any], Any] = serializer.to_representation
        return shown
    fields = {name: field for name, field in serializer.fields.items() if not field.write_only}
    plain = {name: field.source for name, field in fields.items() if _is_plain(field)}

    def show(instance: Any) -> dict[str, Any]:
        return {
            name: getattr(instance, plain[name]) if name in plain else _shown_by(field, instance)
            for name, field in fields.items()
        }

    return show


def _is_plain(field: Any) -> bool:
    """Whether a field shows an attribute that `to_json` writes as the field would."""
    return type(field) in PLAIN_ATTRIBUTES and field.source_attrs == [field.source]


def _shown_by(field: Any, instance: Any) -> Any:
    value = field.get_attribute(instance)
    return None if value is None else field.to_representation(value)


@cache
def rows_of(reader: RowReader, queryset: QuerySet[Any]) -> QuerySet[Any, Any]:
    """The values at a reader's paths, of a queryset that is the same in every request."""
    return queryset.order_by().values_list(*reader.paths)


@cache
def row_by_key(reader: RowReader, queryset: QuerySet[Any]) -> Prepared:
    """The values at a reader's paths by primary key, of a queryset that is the same in every request."""
    return Prepared(rows_of(reader, queryset).filter(pk=0))


@cache
def locked_by_key(queryset: QuerySet[Any]) -> Prepared:
    """Instances by primary key with their rows locked, of a queryset that is the same in every request."""
    return Prepared(queryset.filter(pk=0).order_by().select_for_update(of=("self",)))


@lru_cache(maxsize=256)
def first_page(
    reader: RowReader, queryset: QuerySet[Any], ordering: tuple[str, ...], size: int, names: tuple[str, ...]
) -> Prepared:
    """The values at a reader's paths, and of some more columns, of the first rows of a queryset in an order."""
    return Prepared(queryset.order_by(*ordering).values_list(*reader.paths, *names)[:size])
