"""The columns of a file of products: their names, their order, and how a field becomes a cell and comes back.

The same in CSV, XLSX and JSON lines, where a row is an object with the names as keys. Written are texts, as PostgreSQL
gives them; in CSV and XLSX, and only there, `formulas.neutralise` goes over them, and `formulas.restore` over what is
read. What `Column.read` takes are cells after that: texts, whatever a spreadsheet made of them (numbers, booleans,
times), or the values of a JSON document.

- No text of a product is null: an empty cell is an empty text. Of a category and its source, which may be null, it is
  null. A column that a file lacks says nothing about its field.
- Attributes are one JSON object in one cell, so that 18, 18.0, "18" and true stay what they are.
- A category is named by its code and that of its taxonomy, with the version: ids differ between two installations.
- `id`, `category_path` and the times tell what is in this installation. They are written for people, and passed over
  when a file is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Case, F, Func, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat

# Joins the code of a taxonomy and its version, as everywhere in the API.
VERSION_SEPARATOR = "@"


def read_text(cell: object) -> str:
    """The text of a cell. A whole number has no fraction, as spreadsheets make numbers of what looks like one."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def read_optional_text(cell: object) -> str | None:
    """The text of a cell, None when it is empty."""
    return read_text(cell) or None


def read_attributes(cell: object) -> dict[str, Any]:
    """The attributes of a cell: an object, or its JSON; an empty cell has none. Raises ValidationError."""
    if isinstance(cell, dict):
        return cell
    text = read_text(cell)
    try:
        attributes = orjson.loads(text) if text.strip() else {}
    except orjson.JSONDecodeError:
        raise ValidationError("Attributes are a JSON object.", code="not_json") from None
    if not isinstance(attributes, dict):
        raise ValidationError("Attributes are an object of names and values.", code="not_an_object")
    return attributes


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file.

    `field` is the field of `Product` that it holds, or helps to hold. `source` is the expression that gives its value
    for writing: a text, and for the id, which comes first, a whole number. `read` makes the value of the field of a
    cell, or raises ValidationError; it is None for columns that are passed over. `is_optional` says that an empty text
    stands for null.
    """

    name: str
    field: str
    source: Combinable
    read: Callable[[object], Any] | None = None
    is_optional: bool = False


class _Moment(Func):
    """A time as RFC 3339 in UTC, to the microsecond."""

    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    output_field = TextField()


def _text(name: str) -> Column:
    return Column(name, name, F(name), read_text)


def _optional(name: str, field: str, source: str, read: Callable[[object], Any] | None) -> Column:
    return Column(name, field, Coalesce(source, Value("")), read, is_optional=True)


_TAXONOMY = Case(
    When(category=None, then=Value("")),
    default=Concat(F("category__taxonomy__code"), Value(VERSION_SEPARATOR), F("category__taxonomy__version")),
    output_field=TextField(),
)

COLUMNS = (
    Column("id", "id", F("id")),
    _text("sku"),
    _text("name"),
    _text("description"),
    _text("manufacturer"),
    _text("part_number"),
    _text("gtin"),
    Column("attributes", "attributes", Cast("attributes", TextField()), read_attributes),
    Column("status", "status", F("status"), read_text),
    Column("taxonomy", "category", _TAXONOMY, read_optional_text, is_optional=True),
    _optional("category_code", "category", "category__code", read_optional_text),
    _optional("category_path", "category", "category__path", None),
    _optional("category_source", "category_source", "category_source", read_optional_text),
    Column("created_at", "created_at", _Moment(F("created_at"))),
    Column("updated_at", "updated_at", _Moment(F("updated_at"))),
)
NAMES = tuple(column.name for column in COLUMNS)
READ = {column.name: column.read for column in COLUMNS if column.read is not None}
OPTIONAL = tuple(column.name for column in COLUMNS if column.is_optional)
