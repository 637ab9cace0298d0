"""Reading a file of products, whichever format it has: first looked at, then row by row."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any, NamedTuple

from products.files import delimited, json_lines, workbooks
from products.files.layouts import Given, Layout, Place, Row, unique_names
from products.files.unpacking import is_workbook, on_disk, refused, unpacked, unpacked_size

SAMPLE_BYTES = 2**20
SAMPLE_ROWS = 100
# Of the first rows no more are looked at than have so many characters, however few these are.
SAMPLE_CHARACTERS = 2**22
# Of a file with no more rows than this it is known how many there are as soon as it is looked at.
FEW = 500


class Beginning(NamedTuple):
    """The first rows of a file; all of them where there are no more than FEW, and these are not too long."""

    rows: list[Row]
    is_whole: bool


def examine(file: IO[bytes], given: Given, known: Callable[[list[str]], int]) -> tuple[Layout, Beginning]:
    """How a file is to be read, and its first rows read like that.

    `known` says how many of some names are names of columns. Raises Problem (400) for what is no table, or empty.
    """
    content, compressed = unpacked(file)
    first = content.read(SAMPLE_BYTES)
    content, _ = unpacked(file)
    if is_workbook(content, first):
        layout = Layout("xlsx", compressed, [], header=given.header is not False)
    else:
        layout = _text_layout(first, given, known, compressed)
    with _content(file, layout) as opened_file:
        sample = _beginning(_records(opened_file, layout), SAMPLE_ROWS + 1).rows
    if not sample:
        raise refused("empty", "The file has no rows.")
    layout = _with_columns(layout, sample, given, known)
    with opened(file, layout) as rows:
        return layout, _beginning(rows, FEW)


def _beginning(rows: Iterator[Row], most: int) -> Beginning:
    first: list[Row] = []
    characters = 0
    for row in islice(rows, most):
        first.append(row)
        cells = row.cells.values() if isinstance(row.cells, dict) else row.cells
        characters += sum(len(str(cell)) for cell in cells)
        if characters > SAMPLE_CHARACTERS:
            break
    return Beginning(first, is_whole=next(rows, None) is None)


def estimate(file: IO[bytes], layout: Layout) -> int:
    """About how many rows a file has, judged by the lines of its beginning; 0 for a workbook, which does not tell."""
    if layout.format == "xlsx":
        return 0
    first = unpacked(file)[0].read(SAMPLE_BYTES)
    lines = max(first.count(b"\n"), first.count(b"\r"))
    return lines * unpacked_size(file) // max(len(first), 1)


@contextmanager
def opened(file: IO[bytes], layout: Layout, after: Place | None = None) -> Iterator["Rows"]:
    """The rows of a file but its header, as its layout says; those after a place where one is given."""
    with _content(file, layout) as content:
        yield Rows(content, layout, after)


class Rows(Iterator[Row]):
    """Rows that are read one after the other, and the place after the last one."""

    def __init__(self, content: IO[Any], layout: Layout, after: Place | None) -> None:
        self._content, self._number = content, after.number if after else 0
        if after:
            content.seek(after.offset)
        self._rows = _records(content, layout, self._number)
        if layout.format != "jsonl":
            if layout.header and not after:
                next(self._rows, None)
            self._rows = _shaped(self._rows, layout)

    def __next__(self) -> Row:
        row = next(self._rows)
        self._number = row.number
        return row

    def place(self) -> Place:
        """Where the next row begins, in a text; workbooks have no places."""
        return Place(self._content.tell(), self._number)


def _shaped(records: Iterable[Row], layout: Layout) -> Iterator[Row]:
    width = len(layout.columns)
    for row in records:
        yield delimited.shaped(_filled(row, width) if layout.format == "xlsx" else row, width)


def _filled(row: Row, width: int) -> Row:
    """A row of a spreadsheet, which does not keep empty cells at the end."""
    missing = width - len(row.cells)
    return Row(row.number, [*row.cells, *[None] * missing], row.fault) if missing > 0 else row


@contextmanager
def _content(file: IO[bytes], layout: Layout) -> Iterator[IO[Any]]:
    """The content of a file as its format is read: bytes, text, or what one can go back and forth in."""
    content, is_packed = unpacked(file)
    if layout.format == "csv":
        text = delimited.text_of(content, layout.encoding)
        try:
            yield text
        finally:
            # The file is the caller's: it is not closed with the text.
            text.detach()
    elif layout.format == "xlsx" and is_packed:
        yield on_disk(content, limit=workbooks.MAX_BYTES)
    else:
        yield content


def _records(content: IO[Any], layout: Layout, number: int = 0) -> Iterator[Row]:
    """Every row of a content, the header too; in a text, those that follow the row of a number."""
    if layout.format == "jsonl":
        return json_lines.objects(content, number)
    if layout.format == "xlsx":
        return workbooks.rows(content)
    return delimited.records(content, layout.delimiter, number)


def _text_layout(first: bytes, given: Given, known: Callable[[list[str]], int], compressed: bool) -> Layout:
    encoding = given.encoding or delimited.guess_encoding(first)
    sample = delimited.text_of(io.BytesIO(first), encoding).read()
    begin = sample.lstrip()[:1]
    if begin == "{" and encoding == "utf-8":
        return Layout("jsonl", compressed, [], encoding=encoding)
    if begin == "[":
        raise refused("unsupported_format", "The file is a JSON array. Give one object a line (JSON lines).")
    if not begin:
        raise refused("empty", "The file has no rows.")
    if begin == "<":
        raise refused("unsupported_format", "The file is HTML or XML. Give CSV, XLSX or JSON lines.")
    delimiter = given.delimiter or delimited.guess_delimiter(sample, known)
    return Layout("csv", compressed, [], encoding=encoding, delimiter=delimiter)


def _with_columns(
    layout: Layout, sample: list[Row], given: Given, known: Callable[[list[str]], int]
) -> Layout:
    if layout.format == "jsonl":
        columns = list(dict.fromkeys(name for row in sample for name in row.cells))
        header = True
    else:
        cells = list(sample[0].cells)
        names = unique_names(cells)
        header = known(names) > 0 if given.header is None else given.header
        columns = names if header else [f"column {position}" for position in range(1, len(cells) + 1)]
    return Layout(
        layout.format,
        layout.compressed,
        delimited.check_width(columns),
        layout.encoding,
        layout.delimiter,
        header,
    )
