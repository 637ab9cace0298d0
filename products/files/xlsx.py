"""Writing XLSX as a stream: workbooks (ECMA-376) of text cells and numbers, sheet after sheet, row after row.

The libraries that write XLSX have the whole file on a disk before its first byte can be sent, cut long texts without a
word or refuse control characters, and cannot put a workbook together from parts that several workers have made. What
a table of texts needs of the format is little: a ZIP archive with one XML document a sheet. Rows and cells have no
addresses, which the standard allows, so that rows may be written before it is known where they will stand.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from io import RawIOBase
from typing import IO, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from isal import isal_zlib

from products.files.formulas import SEPARATOR

# https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
MAX_ROWS = 1_048_576
MAX_CELL_LENGTH = 32_767
# Excel counts in UTF-16, where an emoji counts twice.
MOST_UNITS_OF_A_CHARACTER = 2
# Excel offers to repair archives with entries so large that ZIP must be extended for them (2 GiB).
MAX_SHEET_BYTES = 2_000_000_000
# Of ISA-L's levels 0 to 3.
COMPRESSION = 1

_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# The first row stays in sight.
_HEAD = (
    f'{_XML}<worksheet xmlns="{_SHEETS}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
).encode()
_TAIL = b"</sheetData></worksheet>"

# What XML cannot hold, or would change, and what looks like the escape for it (ECMA-376 part 1, 22.9.2.19). The null
# character is no part of a text here.
_ESCAPED = re.compile("[\x01-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4})")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# Bytes of which one is in every UTF-8 of what is to be escaped, but for what looks like an escape.
_SUSPECT = bytes([*range(1, 9), *range(11, 32), 0xEF])
# Spaces at either end, which are lost unless the cell says that they are kept.
_SPACED = re.compile(f"{SEPARATOR}(?:(?=[ \t\n])|(?<=[ \t\n]{SEPARATOR}))")


def rows(numbers: Sequence[int], texts: str) -> bytes:
    """Rows as a part of a sheet, each a number and as many texts as every other.

    The texts of all of them are one, each after a separator: what is rare in them is looked for once, which takes less
    time than to look at each cell. Raises ValueError for a text that is too long for a cell.
    """
    begin, end, cells = _cells(texts)
    lines = map(f"{end}{begin}".join, zip(*[iter(cells)] * (len(cells) // max(len(numbers), 1)), strict=True))
    made = [
        f"<row><c><v>{number}</v></c>{begin}{line}{end}</row>"
        for number, line in zip(numbers, lines, strict=True)
    ]
    return "".join(made).replace(begin + end, "<c/>").encode()


def workbook(heading: Sequence[str], parts: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a workbook of parts that `rows` has given; the heading is the first row of every sheet.

    When a sheet is full, another is begun.
    """
    out = _Outlet()
    with _Archive(out, "w", ZIP_DEFLATED) as archive:
        sheets = 0
        for sheet in _sheets(parts, _heading(heading)):
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w") as entry:
                yield from _write(entry, sheet, out)
        for name, content in _frame(sheets).items():
            archive.writestr(name, _XML + content)
    yield out.taken()


def _heading(names: Sequence[str]) -> bytes:
    begin, end, cells = _cells(SEPARATOR + SEPARATOR.join(names))
    return f"<row>{''.join(begin + cell + end for cell in cells)}</row>".encode()


def unescape(text: str) -> str:
    """The text of a cell as it was before XML."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _cells(texts: str) -> tuple[str, str, list[str]]:
    """What begins and what ends a cell, and the contents of cells of texts that each follow a separator."""
    escaped = escape(_escaped(texts) if "_x" in texts or _has_suspects(texts) else texts)
    cells = escaped.split(SEPARATOR)[1:]
    # Only then can one of them be too long, be it without its escapes.
    if MOST_UNITS_OF_A_CHARACTER * max(map(len, cells), default=0) > MAX_CELL_LENGTH:
        _check_lengths(texts)
    space = ' xml:space="preserve"' if _SPACED.search(texts + SEPARATOR) else ""
    return f'<c t="inlineStr"><is><t{space}>', "</t></is></c>", cells


def _check_lengths(texts: str) -> None:
    if max(map(_utf16_length, texts.split(SEPARATOR))) > MAX_CELL_LENGTH:
        raise ValueError(f"A cell of XLSX has at most {MAX_CELL_LENGTH} characters.")


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _escaped(texts: str) -> str:
    return _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", texts)


def _has_suspects(texts: str) -> bool:
    encoded = texts.encode()
    return len(encoded.translate(None, _SUSPECT)) < len(encoded)


def _sheets(parts: Iterable[bytes], heading: bytes) -> Iterator[Iterator[bytes]]:
    """The parts of each sheet, with the heading before them."""
    remaining = iter(parts)
    # An empty part stands for the end: there is a sheet also where there are no rows.
    upcoming = [next(remaining, b"")]

    def sheet() -> Iterator[bytes]:
        yield heading
        number, size = 1, 0
        while (part := upcoming[0]) and _fits(number, size, part):
            number, size = number + _number_of_rows(part), size + len(part)
            yield part
            upcoming[0] = next(remaining, b"")

    yield sheet()
    while upcoming[0]:
        yield sheet()


def _fits(number: int, size: int, part: bytes) -> bool:
    # A part that is larger than a sheet may be has one for itself.
    return number == 1 or (number + _number_of_rows(part) <= MAX_ROWS and size + len(part) <= MAX_SHEET_BYTES)


def _number_of_rows(part: bytes) -> int:
    return part.count(b"<row>")


def _write(entry: IO[bytes], parts: Iterable[bytes], out: "_Outlet") -> Iterator[bytes]:
    entry.write(_HEAD)
    for part in parts:
        entry.write(part)
        if out.waiting:
            yield out.taken()
    entry.write(_TAIL)


def _frame(sheets: int) -> dict[str, str]:
    """What a workbook has besides its sheets, by name in the archive."""
    numbers = range(1, sheets + 1)
    named = "".join(f'<sheet name="Products {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    related = "".join(_relation(n, "worksheet", f"worksheets/sheet{n}.xml") for n in numbers)
    typed = "".join(_override(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers)
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(related),
        "_rels/.rels": _relations(_relation(1, "officeDocument", "xl/workbook.xml")),
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{_override("/xl/workbook.xml", "sheet.main")}'
        f"{typed}</Types>",
    }


def _override(part: str, kind: str) -> str:
    return f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>'


def _relations(inner: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


class _Archive(ZipFile):
    """An archive whose entries ISA-L compresses: the standard library gives no choice, and takes four times as long."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """An entry to write to."""
        entry: Any = super().open(*args, **kwargs)
        entry._compressor = isal_zlib.compressobj(COMPRESSION, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
        return entry


class _Outlet(RawIOBase):
    """Where an archive is written to, and taken from as it grows. It has no position, so nothing is gone back to."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.waiting.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What has been written since the last time."""
        content = b"".join(self.waiting)
        self.waiting.clear()
        return content
