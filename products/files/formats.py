"""The formats of a file of products: rows of cells to bytes, a part at a time.

A part holds some rows and knows nothing of those before it, so that parts may be made by several workers, and a file
is made of parts of which only one is in memory.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import orjson

from products.files import xlsx
from products.files.columns import NAMES
from products.files.formulas import SUSPECT, neutralise
from products.files.rows import Row

# Without it Excel takes the file for one in the code page of Windows, and spoils every name that is not ASCII.
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files. `part` writes some rows, and `whole` makes a file of parts."""

    name: str
    media_type: str
    part: Callable[[Iterable[Row]], bytes]
    whole: Callable[[Iterable[bytes]], Iterator[bytes]]


def _csv(rows: Iterable[Row]) -> bytes:
    """Lines as RFC 4180 has them, every text in quotes: a separator in one is nowhere taken for the end of a cell.

    The standard library's writer takes three times as long.
    """
    return "".join([f"{row[0]},{_quoted(row[1:])}\r\n" for row in rows]).encode()


def _quoted(cells: Row) -> str:
    quoted = [cell.replace('"', '""') if '"' in cell else cell for cell in _harmless(cells)]
    return '"' + '","'.join(quoted) + '"'


def _csv_file(parts: Iterable[bytes]) -> Iterator[bytes]:
    return chain([BYTE_ORDER_MARK.encode() + _csv([NAMES])], parts)


def _xlsx(rows: Iterable[Row]) -> bytes:
    return xlsx.rows([row[0], *_harmless(row[1:])] for row in rows)


def _xlsx_file(parts: Iterable[bytes]) -> Iterator[bytes]:
    return xlsx.workbook(NAMES, parts)


def _jsonl(rows: Iterable[Row]) -> bytes:
    return b"".join(map(_object, rows))


def _harmless(cells: Row) -> list[str]:
    """Texts of which none is a formula."""
    return [neutralise(cell) if cell and cell[0] in SUSPECT else cell or "" for cell in cells]


_ATTRIBUTES = NAMES.index("attributes")


def _object(row: Row) -> bytes:
    values: dict[str, object] = dict(zip(NAMES, row, strict=True))
    # It is JSON already, with its numbers as they were written.
    values["attributes"] = orjson.Fragment(str(row[_ATTRIBUTES]))
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


FORMATS = {
    form.name: form
    for form in (
        Format("csv", "text/csv", _csv, _csv_file),
        Format(
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            _xlsx,
            _xlsx_file,
        ),
        Format("jsonl", "application/jsonl", _jsonl, iter),
    )
}
