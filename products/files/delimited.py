"""Reading CSV as people have it: any delimiter, any encoding of Windows, quoted newlines, and rows that are broken.

A broken row is a row with a fault; the ones after it are read. Nothing is longer in memory than a row may be.
"""

import csv
import io
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from typing import IO

from products.files.layouts import MAX_CELL, MAX_COLUMNS, MAX_ROW, Cells, Row
from products.files.unpacking import refused

DELIMITERS = (",", ";", "\t", "|")
# Of the code pages of Windows the one of western Europe and America.
WINDOWS = "cp1252"
ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", WINDOWS, "cp1250", "cp1251", "latin-1", "mac-roman")
# Excel writes and reads a first line such as "sep=;".
SEPARATOR_LINE = "sep="
GUESSED_FROM_ROWS = 20

# One for the whole process, as the module has it.
csv.field_size_limit(MAX_CELL)


class RowTooLongError(Exception):
    """A row has more characters than any row of a table."""


def guess_encoding(sample: bytes) -> str:
    """The encoding of a text that begins like this: a byte order mark tells, or what UTF-8 makes of it.

    UTF-16 without a mark has a null byte in every other place where texts are mostly Latin.
    """
    if sample.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if sample.startswith(BOM_UTF8):
        return "utf-8"
    if sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    try:
        # The sample may end in the middle of a character.
        sample[:-4].decode() if len(sample) > 64 else sample.decode()
    except UnicodeDecodeError:
        return WINDOWS
    return "utf-8"


def text_of(content: IO[bytes], encoding: str) -> io.TextIOWrapper:
    """The text of a file. Bytes that the encoding does not know are kept as surrogates, and become faults of rows."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    return io.TextIOWrapper(content, encoding=name, errors=errors, newline="")


def guess_delimiter(sample: str, score: Callable[[list[str]], int]) -> str:
    """The delimiter with which a sample makes the most sense: known names in the first row, then rows of one length.

    `score` says how many cells of a header are known.
    """
    first = sample.split("\n", 1)[0].strip().lower()
    if first.startswith(SEPARATOR_LINE) and len(first) == len(SEPARATOR_LINE) + 1:
        return first[-1]

    def merit(delimiter: str) -> tuple[int, int, int]:
        rows = [
            list(row.cells)
            for _, row in zip(range(GUESSED_FROM_ROWS), _sample(sample, delimiter), strict=False)
        ]
        width = len(rows[0]) if rows else 0
        alike = sum(len(row) == width for row in rows) if width > 1 else 0
        return (score(rows[0]) if rows else 0, alike, width)

    return max(DELIMITERS, key=merit)


def _sample(sample: str, delimiter: str) -> Iterator[Row]:
    return records(io.StringIO(sample, newline=""), delimiter)


def records(text: IO[str], delimiter: str, number: int = 0) -> Iterator[Row]:
    """Every row of a text that is not empty, numbered as a spreadsheet does; a line ``sep=;`` is no row.

    The text may stand after the row of a `number`. When a row is given it stands after that one.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number += 1
        lines.characters = 0
        try:
            cells: list[str] = next(reader)
        except StopIteration:
            return
        except (csv.Error, RowTooLongError) as error:
            yield Row(number, [], ("malformed_row", _reason(error)))
            continue
        if number == 1 and len(cells) < 3 and "".join(cells).lower().startswith(SEPARATOR_LINE):
            number = 0
        elif any(cells):
            yield Row(number, cells)


def _reason(error: Exception) -> str:
    if "field larger" in str(error):
        return f"A cell has more than {MAX_CELL:,} characters. Is a closing quote missing?"
    if isinstance(error, RowTooLongError):
        return f"The row has more than {MAX_ROW:,} characters. Is a closing quote missing?"
    return f"The row is not CSV: {error}."


class _Lines:
    """The lines of a text for a reader that asks for as many as a row has; none is longer than a row may be."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self.characters = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_ROW)
        self.characters += len(line)
        if not line:
            raise StopIteration
        if len(line) == MAX_ROW:
            self._skip_rest()
        if self.characters > MAX_ROW or len(line) == MAX_ROW:
            raise RowTooLongError
        return line

    def _skip_rest(self) -> None:
        while (rest := self._text.readline(MAX_ROW)) and not rest.endswith(("\n", "\r")):
            pass


def shaped(row: Row, width: int) -> Row:
    """A row with as many cells as there are columns; with a fault where it has others.

    Cells that are missing are not taken for empty: that would empty fields of products.
    """
    cells: Cells = row.cells
    if row.fault or len(cells) == width:
        return row
    if len(cells) < width:
        fault = ("too_few_cells", f"The row has {len(cells)} cells, but there are {width} columns.")
    elif not any(list(cells)[width:]):
        return Row(row.number, list(cells)[:width])
    else:
        fault = ("too_many_cells", f"The row has {len(cells)} cells, but there are {width} columns.")
    return Row(row.number, list(cells)[:MAX_COLUMNS], fault)


def check_width(columns: list[str]) -> list[str]:
    """The columns. Raises Problem (400) when there are more than any table has."""
    if len(columns) > MAX_COLUMNS:
        raise refused("too_many_columns", f"The file has more than {MAX_COLUMNS} columns.")
    return columns
