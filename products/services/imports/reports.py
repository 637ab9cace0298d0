"""What came of an import, as files to download: the rows that failed, and what a dry run would change."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson

from nexus.jobs.models import Job
from products.files.columns import read_text
from products.files.formats import BYTE_ORDER_MARK
from products.files.formulas import neutralise, restore
from products.files.layouts import Cell, Row
from products.files.mapping import FAULTS_COLUMN
from products.models import ImportChange, ImportedChunk, ImportFault
from products.services.imports.kept import rows_of
from products.services.imports.options import Plan

MEDIA_TYPE = "text/csv; charset=utf-8"
LINES_AT_ONCE = 1_000


def failed_rows(job: Job) -> Iterator[bytes]:
    """The rows that failed as they were in the file, with one more column that says why: to be mended and sent again.

    CSV with the delimiter of the file. Cells that a spreadsheet would run are made harmless, and an import gives them
    back as they were.
    """
    layout = Plan.from_json(job.parameters).layout
    delimiter = layout.delimiter or ","
    yield BYTE_ORDER_MARK.encode() + _line([*layout.columns, FAULTS_COLUMN], delimiter)
    for position in _failed_chunks(job):
        rows = rows_of(job, position)
        reasons = _reasons(job, rows)
        lines = [
            _line([*_cells(row, layout.columns), reasons[row.number]], delimiter)
            for row in rows
            if row.number in reasons
        ]
        yield b"".join(lines)


def _failed_chunks(job: Job) -> Iterable[int]:
    chunks = ImportedChunk.objects.filter(job=job, failed__gt=0).order_by("position")
    return chunks.values_list("position", flat=True)


def _reasons(job: Job, rows: Sequence[Row]) -> dict[int, str]:
    """All that is wrong about each row that failed, in one text."""
    faults = ImportFault.objects.filter(job=job, row__gte=rows[0].number, row__lte=rows[-1].number)
    ordered = faults.order_by("row", "id").values_list("row", "column", "detail")
    return {
        number: " ".join(f"{column}: {detail}" if column else detail for _, column, detail in of_row)
        for number, of_row in groupby(ordered, key=lambda fault: fault[0])
    }


def _cells(row: Row, columns: Sequence[str]) -> list[str]:
    if isinstance(row.cells, dict):
        return [neutralise(_text(row.cells.get(name))) for name in columns]
    cells = [neutralise(restore(_text(cell))) for cell in row.cells[: len(columns)]]
    return cells + [""] * (len(columns) - len(cells))


def _text(cell: Cell) -> str:
    return orjson.dumps(cell).decode() if isinstance(cell, (dict, list)) else read_text(cell)


def changes(job: Job) -> Iterator[bytes]:
    """What a dry run would create and update: a line for each field of each product, before and after."""
    yield BYTE_ORDER_MARK.encode() + _line(["row", "sku", "action", "field", "before", "after"])
    found = ImportChange.objects.filter(job=job).order_by("row")
    lines: list[bytes] = []
    for change in found.iterator(chunk_size=LINES_AT_ONCE):
        lines += _of_change(change)
        if len(lines) >= LINES_AT_ONCE:
            yield b"".join(lines)
            lines.clear()
    yield b"".join(lines)


def _of_change(change: ImportChange) -> Iterator[bytes]:
    for name, values in change.changes.items():
        before, after = (neutralise(_text(values[when])) for when in ("before", "after"))
        yield _line([str(change.row), neutralise(change.sku), change.action, name, before, after])


def _line(cells: Sequence[Any], delimiter: str = ",") -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter).writerow(cells)
    return line.getvalue().encode()
