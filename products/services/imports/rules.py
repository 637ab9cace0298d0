"""A row of a file as a product, checked by the rules of the API: by the very fields that check its requests."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from nexus.api.errors import flatten
from products.files.columns import READ, read_optional_text, read_text
from products.files.formulas import APOSTROPHE, restore
from products.files.layouts import Cell, Cells, Layout, Row
from products.files.mapping import ATTRIBUTE
from products.models import Product
from products.serializers import ProductSerializer
from products.services.imports.options import Plan

SHOWN_VALUE = 200
REVIEWED = Product.CategorySource.REVIEWED
# A number as JSON writes it, which is the same number when it is written again.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{0,14}[1-9])?")
_SOURCES = serializers.ChoiceField(choices=Product.CategorySource.choices)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a row that is wrong: in which column, empty where it is the row as a whole."""

    row: int
    column: str
    value: str
    code: str
    detail: str


@dataclass(slots=True)
class Candidate:
    """A row on its way to be a product: its checked values, and which category it names by code or path."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    category: tuple[str, str, str] | None = None
    faults: list[Fault] = field(default_factory=list)


class Rules:
    """Makes candidates of rows, as the mapping of a file says."""

    def __init__(
        self, layout: Layout, mapping: Mapping[str, str], *, taxonomy: str = "", may_decide: bool = True
    ) -> None:
        self._mapping = dict(mapping)
        self._columns = {target: column for column, target in mapping.items()}
        self._places = [(layout.columns.index(c), c, t) for c, t in mapping.items() if c in layout.columns]
        self._is_text = layout.format != "jsonl"
        self._taxonomy, self._may_decide = taxonomy, may_decide
        fields: Mapping[str, Any] = ProductSerializer().fields
        for one in fields.values():
            # Rows are kept as JSON, which has no surrogates; looking for them takes a quarter of the time of checking.
            one.validators = [
                v for v in one.validators if not isinstance(v, ProhibitSurrogateCharactersValidator)
            ]
        self._check: dict[str, Callable[[Any], Any]] = {
            name: fields[name].run_validation for name in READ if name in fields and name != "category_source"
        }
        for name in ("manufacturer", "status"):
            # The same few texts in row after row.
            self._check[name] = lru_cache(maxsize=1000)(self._check[name])
        self._check["category_source"] = self._source

    def sku(self, row: Row) -> str:
        """What a row calls its product, unchecked but for blanks around it; empty where nothing is said."""
        for _, target, cell in self._cells(row.cells):
            if target == "sku":
                return read_text(self._plain(cell)).strip()
        return ""

    def candidate(self, row: Row) -> Candidate:
        """A row with its values checked one by one; what only the database knows is not."""
        made = Candidate(row.number)
        if row.fault:
            made.faults.append(Fault(row.number, "", "", *row.fault))
            return made
        attributes: dict[str, Any] = {}
        for column, target, cell in self._cells(row.cells):
            cell = self._plain(cell)
            if target.startswith(ATTRIBUTE):
                if (value := self._typed(cell)) is not None:
                    attributes[target.removeprefix(ATTRIBUTE)] = value
                continue
            try:
                self._take(made, target, cell)
            except (serializers.ValidationError, DjangoValidationError) as error:
                made.faults.extend(_faults(row.number, column, cell, error))
        if attributes:
            self._add_attributes(made, attributes)
        self._complete(made)
        return made

    def _cells(self, cells: Cells) -> Iterable[tuple[str, str, Cell]]:
        """Column, target and cell of what is mapped, in the order of the mapping."""
        if isinstance(cells, dict):
            return [(c, self._mapping[c], cell) for c, cell in cells.items() if c in self._mapping]
        return [(column, target, cells[place]) for place, column, target in self._places]

    def _plain(self, cell: Cell) -> Cell:
        """A cell without the apostrophe that keeps spreadsheets from running it."""
        return restore(cell) if self._is_text and isinstance(cell, str) and cell[:1] == APOSTROPHE else cell

    def _typed(self, cell: Cell) -> Any:
        """The value of an attribute: of a text that is written as JSON writes numbers and booleans, that value."""
        if not self._is_text or not isinstance(cell, str):
            return cell if isinstance(cell, (str, bool, int, float, type(None))) else read_text(cell)
        text = cell.strip()
        if text in {"true", "false"} or _NUMBER.fullmatch(text):
            return orjson.loads(text)
        return text or None

    def _take(self, made: Candidate, target: str, cell: Cell) -> None:
        if target in {"taxonomy", "category_code", "category_path"}:
            made.values[target] = (read_optional_text(cell) or "").strip()
            return
        if target == "status" and not read_text(cell).strip():
            # There is no product without one: an empty cell says nothing.
            return
        made.values[target] = self._check[target](READ[target](cell))

    def _source(self, value: Any) -> str | None:
        """Who chose a category. Raises ValidationError for a review by somebody who may not review."""
        if value is None:
            return None
        source: str = _SOURCES.run_validation(value)
        if source == REVIEWED and not self._may_decide:
            raise serializers.ValidationError(
                "Your roles do not allow to import decided reviews.", "permission_denied"
            )
        return source

    def _add_attributes(self, made: Candidate, attributes: dict[str, Any]) -> None:
        """Attributes that have columns of their own, which are added to those that the product has."""
        is_whole = "attributes" in made.values
        together = {**made.values.get("attributes", {}), **attributes}
        try:
            self._check["attributes"](together)
        except (serializers.ValidationError, DjangoValidationError) as error:
            made.faults.extend(_faults(made.number, "", None, error))
            return
        made.values["attributes" if is_whole else "added_attributes"] = together

    def _complete(self, made: Candidate) -> None:
        """Put together what several columns say of a category."""
        values = made.values
        taxonomy = values.pop("taxonomy", "") or self._taxonomy
        for by in ("category_path", "category_code"):
            if by in values:
                reference = values.pop(by)
                made.category = (taxonomy, by, reference) if reference else None
                values["category_id"] = None
        source = values.pop("category_source", None)
        if "category_id" in values:
            values["category_source"] = source

    def fault_at(self, row: int, target: str, value: Any, code: str, detail: str) -> Fault:
        """A fault of the column that is mapped to a target."""
        return Fault(row, self._columns.get(target, ""), _shown(value), code, detail)


def _faults(row: int, column: str, cell: Cell, error: Exception) -> list[Fault]:
    if isinstance(error, DjangoValidationError):
        return [
            Fault(row, column, _shown(cell), e.code or "invalid", e.messages[0]) for e in error.error_list
        ]
    return [
        Fault(row, column, _shown(cell), one["code"], one["detail"])
        for one in flatten(getattr(error, "detail", str(error)))
    ]


def _shown(cell: Cell) -> str:
    """The beginning of a cell as a text that PostgreSQL can hold."""
    text = str(orjson.dumps(cell), "utf-8") if isinstance(cell, (dict, list)) else read_text(cell)
    return text[:SHOWN_VALUE].replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def rules_of(plan: Plan, *, may_decide: bool = False) -> Rules:
    """The rules that rows of a file are checked by, for somebody who may or may not decide reviews."""
    return Rules(plan.layout, plan.mapping, taxonomy=plan.taxonomy, may_decide=may_decide)
