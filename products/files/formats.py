"""The formats of a file of products: rows of cells to bytes, a part at a time.

A part holds some rows and knows nothing of those before it, so that parts may be made by several workers, and a file
is made of parts of which only one is in memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import orjson

from products.files import xlsx
from products.files.columns import NAMES, OPTIONAL
from products.files.formulas import SEPARATOR, neutralise_each
from products.files.rows import Row

# Without it Excel takes the file for one in the code page of Windows, and spoils every name that is not ASCII.
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files. `part` writes some rows, and `whole` makes a file of parts."""

    name: str
    media_type: str
    part: Callable[[Sequence[Row]], bytes]
    whole: Callable[[Iterable[bytes]], Iterator[bytes]]


def _csv(rows: Sequence[Row]) -> bytes:
    """Lines as RFC 4180 has them, every text in quotes: a separator in one is nowhere taken for the end of a cell.

    The standard library's writer takes three times as long.
    """
    texts = _harmless(rows).replace('"', '""').split(SEPARATOR)[1:]
    lines = zip(*[iter(texts)] * _TEXTS, strict=True)
    quoted = map('","'.join, lines)
    return "".join([f'{row[0]},"{line}"\r\n' for row, line in zip(rows, quoted, strict=True)]).encode()


def _csv_file(parts: Iterable[bytes]) -> Iterator[bytes]:
    return chain([BYTE_ORDER_MARK.encode() + _csv([NAMES])], parts)


def _xlsx(rows: Sequence[Row]) -> bytes:
    return xlsx.rows([row[0] for row in rows], _harmless(rows))


def _xlsx_file(parts: Iterable[bytes]) -> Iterator[bytes]:
    return xlsx.workbook(NAMES, parts)


def _jsonl(rows: Sequence[Row]) -> bytes:
    return b"".join(map(_object, rows))


# All columns but the id.
_TEXTS = len(NAMES) - 1


def _harmless(rows: Sequence[Row]) -> str:
    """All texts of some rows as one, each after a separator, of which none is a formula."""
    texts = chain.from_iterable([row[1:] for row in rows])
    return neutralise_each(SEPARATOR + SEPARATOR.join(texts))


_ATTRIBUTES = NAMES.index("attributes")


def _object(row: Row) -> bytes:
    values: dict[str, object] = dict(zip(NAMES, row, strict=True))
    # It is JSON already, with its numbers as they were written.
    values["attributes"] = orjson.Fragment(row[_ATTRIBUTES])
    for name in OPTIONAL:
        values[name] = values[name] or None
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
