"""Reading a file of products, whichever format it has: first looked at, then row by row."""

import io
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import IO

from products.files import delimited, json_lines, workbooks
from products.files.layouts import Given, Layout, Row, unique_names
from products.files.unpacking import is_workbook, refused, seekable, unpacked

SAMPLE_BYTES = 2**20
SAMPLE_ROWS = 100


def examine(file: IO[bytes], given: Given, known: Callable[[list[str]], int]) -> tuple[Layout, list[Row]]:
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
    sample = list(islice(_records(file, layout), SAMPLE_ROWS + 1))
    if not sample:
        raise refused("empty", "The file has no rows.")
    layout = _with_columns(layout, sample, given, known)
    with closing(rows(file, layout)) as read:
        return layout, list(islice(read, SAMPLE_ROWS))


def rows(file: IO[bytes], layout: Layout) -> Generator[Row]:
    """All rows of a file but its header, as its layout says."""
    records = _records(file, layout)
    if layout.format == "jsonl":
        yield from records
        return
    if layout.header:
        next(records, None)
    width = len(layout.columns)
    for row in records:
        yield delimited.shaped(_filled(row, width) if layout.format == "xlsx" else row, width)


def _filled(row: Row, width: int) -> Row:
    """A row of a spreadsheet, which does not keep empty cells at the end."""
    missing = width - len(row.cells)
    return Row(row.number, [*row.cells, *[None] * missing], row.fault) if missing > 0 else row


def _records(file: IO[bytes], layout: Layout) -> Iterator[Row]:
    content, _ = unpacked(file)
    if layout.format == "jsonl":
        return json_lines.objects(content)
    if layout.format == "xlsx":
        return workbooks.rows(seekable(content, limit=workbooks.MAX_BYTES))
    return _of_text(content, layout)


def _of_text(content: IO[bytes], layout: Layout) -> Iterator[Row]:
    text = delimited.text_of(content, layout.encoding)
    try:
        yield from delimited.records(text, layout.delimiter)
    finally:
        # The file is the caller's: it is not closed with the text.
        text.detach()


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
