"""The base of every list's filters: what they do not know, they refuse."""

from collections.abc import Collection, Mapping
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from nexus.api.errors import invalid_request, pointer_of
from nexus.api.pagination import PARAMETERS


class StrictBooleanField(forms.Field):
    """``true`` or ``false``; nothing is taken for a doubt."""

    def to_python(self, value: Any) -> bool | None:
        """The boolean, or None when the parameter is not given. Raises ValidationError for any other text."""
        if value is None or value == "" or isinstance(value, bool):
            return None if value == "" else value
        if value not in {"true", "false"}:
            raise forms.ValidationError("Give true or false.", code="invalid")
        return bool(value == "true")


@extend_schema_field(bool)
class BooleanFilter(django_filters.Filter):
    """A filter by ``true`` or ``false``."""

    field_class = StrictBooleanField


class FilterSet(django_filters.FilterSet):
    """The filters of one list. Its parameters, with those of the pagination, are all that the list takes."""

    def __init__(self, data: Mapping[str, Any], queryset: QuerySet[Any]) -> None:
        # Only the filters that are asked for: to copy all of them takes longer than to apply one.
        self.__dict__["base_filters"] = {
            name: made for name, made in self.base_filters.items() if name in data
        }
        super().__init__(data, queryset=queryset)

    @classmethod
    def parameters(cls) -> set[str]:
        """The names of all query parameters of the list."""
        return {*cls.base_filters, *PARAMETERS}


class StrictFilterBackend(DjangoFilterBackend):
    """Applies a view's `filterset_class`. Raises Problem (400) for unknown parameters and bad values."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """The rows of the queryset that the request asks for."""
        return filter_strictly(getattr(view, "filterset_class", None) or FilterSet, request, queryset)


def filter_strictly(
    filterset_class: type[FilterSet], request: Request, queryset: QuerySet[Any]
) -> QuerySet[Any]:
    """The rows that a request's query lets through. Raises Problem (400) for unknown parameters and bad values."""
    return apply_filters(
        filterset_class, request.query_params, queryset, pointer="/query", known=filterset_class.parameters()
    )


def apply_filters(
    filterset_class: type[FilterSet],
    values: Mapping[str, Any],
    queryset: QuerySet[Any],
    *,
    pointer: str,
    known: Collection[str] | None = None,
) -> QuerySet[Any]:
    """Filter a queryset by values, by name: texts of a query, or texts, numbers and booleans of a JSON document.

    Raises Problem (400), with places below `pointer`, for names that are not `known` and for bad values.
    """
    known = filterset_class.base_filters if known is None else known
    errors = [_unknown(pointer + pointer_of(name), name, known) for name in values if name not in known]
    errors += [
        {
            "pointer": pointer + pointer_of(name),
            "code": "invalid",
            "detail": "Give a text, a number or a boolean.",
        }
        for name in values
        if not isinstance(values[name], (str, int, float))
    ]
    if errors:
        raise invalid_request(errors)
    if filterset_class.base_filters.keys().isdisjoint(values):
        return queryset
    filterset = filterset_class({name: _text(values[name]) for name in values}, queryset=queryset)
    if filterset.is_valid():
        return filterset.qs
    raise invalid_request(
        [
            {
                "pointer": pointer + pointer_of(name),
                "code": error.code or "invalid",
                "detail": " ".join(error.messages),
            }
            for name, faults in filterset.form.errors.as_data().items()
            for error in faults
        ]
    )


def _text(value: str | float) -> str:
    """A value as a query would have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(pointer: str, name: str, known: Collection[str]) -> dict[str, str]:
    detail = f"Unknown parameter {name!r}. Known are: {', '.join(sorted(known))}."
    return {"pointer": pointer, "code": "unknown_parameter", "detail": detail}
