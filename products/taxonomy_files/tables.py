"""CSV as spreadsheets and registries write it: any usual delimiter, names of columns in any case."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from products.taxonomy_files.reading import Reading, UnreadableFileError

DELIMITERS = ",;\t|"
LONGEST_HEADER = 10_000


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with its line in the file, and its cells by the name of the column in small letters."""

    line: int
    cells: Mapping[str, str]

    def first(self, *names: str) -> str:
        """The first of some columns that is there and not empty."""
        return next((self.cells[name] for name in names if self.cells.get(name)), "")


def header_of(text: str) -> list[str]:
    """The names of the columns as the first line gives them, simplified as `TableRow` has them."""
    first = _first_line(text)[:LONGEST_HEADER]
    return [_simple(name) for name in next(csv.reader([first], delimiter=_delimiter(first)), [])]


def rows_of(text: str, reading: Reading) -> Iterator[TableRow]:
    """The rows below the header; empty ones are left out, one of another length is noted and left out.

    Raises UnreadableFileError for what is no CSV.
    """
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(_first_line(text)), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [_simple(name) for name in cells]
            elif len(cells) > len(header):
                reason = f"The row has {len(cells)} cells, and the header {len(header)}."
                mend = "Put cells that hold the delimiter into quotation marks."
                reading.note(reader.line_num, "row", "too_many_cells", cells[0], reason, mend)
            else:
                values = (cell.strip() for cell in cells)
                yield TableRow(reader.line_num, dict(zip(header, values, strict=False)))
    except csv.Error as error:
        raise UnreadableFileError(
            "malformed_csv", f"Line {reader.line_num} is no CSV: {error}. Check its quotation marks."
        ) from None


def _first_line(text: str) -> str:
    return text.lstrip("\r\n").partition("\n")[0]


def _delimiter(first: str) -> str:
    """The one that comes most often in the first line."""
    return max(DELIMITERS, key=first.count)


def _simple(name: str) -> str:
    """``Segment Title``, ``segment_title`` and ``SegmentTitle `` are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def keywords_of(text: str) -> list[str]:
    """The keywords of a cell, between vertical bars or semicolons; each once."""
    parts = text.replace(";", "|").split("|")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))
