"""One pagination for every list: by key, so that page 10,000 costs what page 1 costs.

A cursor holds the ordering and the ordered values of the row where the last page ended. The next page is what comes
after those values, found through the index of the ordering (https://use-the-index-luke.com/no-offset).
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

import orjson
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.timezone import is_naive
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from nexus.api.errors import Problem, invalid
from nexus.api.renderers import to_json

MAX_CURSOR = 4000
MAX_PAGE_SIZE = 500
PARAMETERS = ("page_size", "cursor", "ordering")

# What a list shows of a row, and the values that its place in the ordering is known by.
Row = tuple[Any, tuple[Any, ...]]
Read = Callable[[QuerySet[Any], Sequence[str]], list[Row]]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an ordered list: just after `values`, or just before them when `backwards`."""

    ordering: tuple[str, ...]
    values: tuple[Any, ...]
    backwards: bool = False

    def encode(self) -> str:
        """The cursor as text for a URL."""
        document = to_json([",".join(self.ordering), self.values, self.backwards])
        return base64.urlsafe_b64encode(document).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The cursor of a URL. Raises Problem (400) for a text that this server cannot have made."""
        try:
            document = orjson.loads(base64.urlsafe_b64decode(text[:MAX_CURSOR] + "=" * (-len(text) % 4)))
            ordering, values, backwards = document
            cursor = cls(tuple(ordering.split(",")), tuple(values), backwards)
        except (ValueError, TypeError, AttributeError, binascii.Error):
            raise _invalid_cursor() from None
        if len(cursor.values) != len(cursor.ordering) or not isinstance(backwards, bool):
            raise _invalid_cursor()
        return cursor


def _invalid_cursor() -> Problem:
    return invalid(
        "/query/cursor", "invalid_cursor", "Take the cursor from 'next' or 'previous' of this list."
    )


class KeysetPagination(BasePagination):
    """Pages of a queryset by the values of its ordering, which always ends in the primary key.

    The view names what its list may be ordered by in `ordering_fields` (fields that are never null), and may bring
    a cheaper exact count in `get_count(queryset)`.
    """

    default_page_size = 50

    def paginate_queryset(  # type: ignore[override]
        self,
        queryset: QuerySet[Any],
        request: Request,
        view: Any = None,
        read: Read | None = None,
    ) -> list[Any]:
        """The rows of the page that the request asks for, at most `page_size` of them.

        `read` turns the queryset of a page into its rows, each with its values of the named fields; model instances
        without it.
        """
        self.request = request
        page_size = self._page_size()
        ordering = self._ordering(queryset, view)
        text = request.query_params.get("cursor")
        cursor = Cursor.decode(text) if text else None
        if cursor and cursor.ordering != ordering:
            raise _invalid_cursor()
        backwards = cursor is not None and cursor.backwards
        count = getattr(view, "get_count", None)
        self.count = count(queryset) if count else queryset.order_by().count()
        page = queryset.order_by(*(_reverse(ordering) if backwards else ordering))
        if cursor:
            page = page.filter(_after(page, cursor))
        names = [term.removeprefix("-") for term in ordering]
        rows = (read or _instances)(page[: page_size + 1], names)
        more, rows = len(rows) > page_size, rows[:page_size]
        if backwards:
            rows.reverse()
        self.next = self._link(ordering, rows[-1][1]) if rows and (more or backwards) else None
        before = rows and (more if backwards else cursor)
        self.previous = self._link(ordering, rows[0][1], backwards=True) if before else None
        return [row for row, _ in rows]

    def envelope(self, results: Sequence[object]) -> dict[str, object]:
        """The body of a list: ``{count, next, previous, results}``."""
        return {"count": self.count, "next": self.next, "previous": self.previous, "results": results}

    def _page_size(self) -> int:
        text = self.request.query_params.get("page_size")
        if text is None:
            return self.default_page_size
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_PAGE_SIZE):
            raise invalid("/query/page_size", "invalid", f"A page has 1 to {MAX_PAGE_SIZE} results.")
        return int(text)

    def _ordering(self, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        allowed: Sequence[str] = getattr(view, "ordering_fields", ())
        text = self.request.query_params.get("ordering")
        if text is None:
            terms = list(queryset.query.order_by or queryset.model._meta.ordering)
        else:
            terms = text.split(",")
            for term in terms:
                if term.removeprefix("-") not in allowed:
                    raise invalid(
                        "/query/ordering",
                        "invalid",
                        f"{term!r} is not one of: {', '.join(allowed) or 'none'}.",
                    )
        names = [term.removeprefix("-") for term in terms]
        if len(set(names)) < len(names):
            raise invalid("/query/ordering", "invalid", "A field is named twice.")
        if not {"pk", queryset.model._meta.pk.name} & set(names):
            sign = "-" if terms[-1].startswith("-") else ""
            terms.append(sign + queryset.model._meta.pk.name)
        return tuple(terms)

    def _link(self, ordering: tuple[str, ...], values: tuple[Any, ...], *, backwards: bool = False) -> str:
        query = self.request.query_params.copy()
        query["cursor"] = Cursor(ordering, values, backwards).encode()
        return self.request._request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The query parameters, for the OpenAPI schema."""
        orderable = ", ".join(getattr(view, "ordering_fields", ()))
        return [
            _parameter(
                "page_size",
                f"Results a page, 1 to {MAX_PAGE_SIZE}.",
                "integer",
                default=50,
                minimum=1,
                maximum=500,
            ),
            _parameter("cursor", "Where the page starts; from `next` or `previous`."),
            *(
                [_parameter("ordering", f"A comma list of {orderable}; `-` for descending.")]
                if orderable
                else []
            ),
        ]

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a list, for the OpenAPI schema."""
        link = {"type": ["string", "null"], "format": "uri", "example": None}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "Of all pages together, exact.", "example": 123},
                "next": link | {"example": "http://127.0.0.1:8000/api/v1/products?cursor=WyJpZCIs"},
                "previous": link | {"example": None},
                "results": schema,
            },
        }


def _parameter(name: str, description: str, kind: str = "string", **schema: object) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": kind, **schema},
    }


def _reverse(ordering: tuple[str, ...]) -> list[str]:
    return [term[1:] if term.startswith("-") else f"-{term}" for term in ordering]


def _instances(queryset: QuerySet[Any], names: Sequence[str]) -> list[Row]:
    return [(row, tuple(getattr(row, name) for name in names)) for row in queryset]


def _after(queryset: QuerySet[Any], cursor: Cursor) -> Any:
    """The condition of all rows beyond the cursor in the direction of the ordering."""
    terms = cursor.ordering if not cursor.backwards else tuple(_reverse(cursor.ordering))
    names = [term.removeprefix("-") for term in terms]
    descending = [term.startswith("-") for term in terms]
    values = [_place(queryset, name, value) for name, value in zip(names, cursor.values, strict=True)]
    if len(set(descending)) == 1:
        # A comparison of rows is one range of the index, however many rows share the first value.
        lookup = TupleLessThan if descending[0] else TupleGreaterThan
        return (
            lookup(Tuple(*(F(name) for name in names)), tuple(values))
            if len(names) > 1
            else Q(**{f"{names[0]}__{'lt' if descending[0] else 'gt'}": values[0]})
        )
    beyond = reduce(or_, (_beyond_at(names, descending, values, index) for index in range(len(names))))
    # What all the alternatives have in common, and PostgreSQL does not see: where in the index to begin.
    return Q(**{f"{names[0]}__{'lte' if descending[0] else 'gte'}": values[0]}) & beyond


def _place(queryset: QuerySet[Any], name: str, text: Any) -> Any:
    """A value of a cursor as its field has it. Raises Problem (400) for one that the field cannot have."""
    try:
        field = _field(queryset, name)
        value = field.to_python(text)
        field.run_validators(value)
    except (ValidationError, FieldDoesNotExist, ValueError, TypeError, OverflowError):
        raise _invalid_cursor() from None
    nowhere = value is None or (isinstance(value, str) and "\x00" in value)
    if nowhere or (isinstance(value, datetime) and is_naive(value)):
        raise _invalid_cursor()
    return value


def _beyond_at(names: list[str], descending: list[bool], values: list[Any], index: int) -> Q:
    """Rows that equal the cursor before the term at `index` and lie beyond it there."""
    condition = Q(**{f"{names[index]}__{'lt' if descending[index] else 'gt'}": values[index]})
    for name, value in zip(names[:index], values[:index], strict=True):
        condition &= Q(**{name: value})
    return condition


def _field(queryset: QuerySet[Any], name: str) -> "Field[Any, Any]":
    if name in queryset.query.annotations:
        return queryset.query.annotations[name].output_field
    return queryset.model._meta.pk if name == "pk" else queryset.model._meta.get_field(name)
