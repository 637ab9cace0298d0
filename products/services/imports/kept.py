"""Rows as they were read, kept in blocks of a file of the job: a block is a chunk.

Whoever does a chunk reads nothing else of the file, and the list of failed rows is made of the blocks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from nexus.jobs import files
from nexus.jobs.cancellation import raise_if_cancelled
from nexus.jobs.models import File, Job
from products.files.layouts import Row

ROWS_OF_CHUNK = 2_000
BYTES_OF_CHUNK = 2**20
# As no upload is called.
ROWS_FILE = "kept/rows"

# A row, and its line in a block.
Line = tuple[Row, bytes]


def file_of(job: Job) -> File:
    """The file of the kept rows of a job; made where there is none."""
    return File.objects.get_or_create(
        job=job, role=File.Role.WORK, defaults={"name": ROWS_FILE, "media_type": "application/jsonl"}
    )[0]


def chunks_of(rows: Iterable[Row]) -> Iterator[list[Line]]:
    """Rows with their lines, as many at a time as make a chunk. Raises Cancelled between two of them.

    When a chunk is given, no row after it has been read. Its last row may make it larger than `BYTES_OF_CHUNK`.
    """
    chunk: list[Line] = []
    size = 0
    for row, line in map(_with_line, rows):
        chunk.append((row, line))
        size += len(line)
        if len(chunk) == ROWS_OF_CHUNK or size >= BYTES_OF_CHUNK:
            yield chunk
            raise_if_cancelled()
            chunk, size = [], 0
    if chunk:
        yield chunk


def keep(file: File, position: int, lines: Sequence[Line]) -> None:
    """Keep the rows of a chunk."""
    files.put_block(file, position, b"\n".join(line for _, line in lines))


def rows_of(job: Job, position: int) -> list[Row]:
    """The rows of a chunk as the file has them."""
    block = files.block(File.objects.get(job=job, role=File.Role.WORK), position) or b""
    return [_row(orjson.loads(line)) for line in block.split(b"\n") if line]


def as_kept(row: Row) -> Row:
    """A row as it will be when it has been kept: what is no text any more is a fault."""
    return _row(orjson.loads(_with_line(row)[1]))


def _with_line(row: Row) -> Line:
    try:
        return row, _line(row)
    except TypeError:
        # Bytes that the encoding of the file does not know.
        fault = ("encoding", "The row has bytes that the encoding of the file does not know.")
        row = Row(row.number, [_legible(cell) for cell in row.cells], fault)
        return row, _line(row)


def _line(row: Row) -> bytes:
    return orjson.dumps([row.number, row.cells, row.fault], default=str)


def _legible(cell: Any) -> str:
    return str(cell).encode("utf-8", "replace").decode()


def _row(value: list[Any]) -> Row:
    number, cells, fault = value
    return Row(number, cells, tuple(fault) if fault else None)
