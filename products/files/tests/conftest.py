"""Files of products, taken apart again."""

import csv
import io
from typing import Any

import openpyxl
import orjson

from products.files.xlsx import unescape


def read(content: bytes, form: str) -> list[dict[str, Any]]:
    """The rows of a file, by name of column, with the cells as they stand in it."""
    if form == "jsonl":
        return [orjson.loads(line) for line in content.splitlines()]
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    return [row for sheet in sheets(content) for row in sheet]


def sheets(content: bytes) -> list[list[dict[str, Any]]]:
    """The rows of every sheet of a workbook."""
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return [_named(list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]


def _named(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    heading, *others = rows
    return [dict(zip(heading, map(_shown, row), strict=True)) for row in others]


def _shown(cell: Any) -> Any:
    return unescape(cell) if isinstance(cell, str) else cell
