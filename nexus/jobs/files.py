"""The files of jobs, in PostgreSQL: what was uploaded, and what is there to be downloaded.

Any worker on any machine has them with nothing but the database. A file is kept in blocks of about a megabyte, so that
it is written and read as a stream: no more than a block or two of it is ever in memory. It belongs to a job and is
deleted with it.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import quote

from django.db import connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from nexus.api.conditional import is_known
from nexus.jobs.models import File, FileBlock, Job

BLOCK_BYTES = 2**20
# Of what is read again and again, such as the directory of a ZIP archive, this many blocks are at hand.
BLOCKS_AT_HAND = 4


class FileWriter(io.RawIOBase):
    """A new file of a job, written as a stream. It is not whole, and cannot be downloaded, before it is closed."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self._position = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes; whole blocks of them are saved."""
        self._waiting += data
        while len(self._waiting) >= BLOCK_BYTES:
            self._save(bytes(self._waiting[:BLOCK_BYTES]))
            del self._waiting[:BLOCK_BYTES]
        return len(data)

    def finish(self) -> File:
        """Save the rest, and say that the file is whole."""
        if self._waiting:
            self._save(bytes(self._waiting))
            self._waiting.clear()
        self._file.sha256 = self._digest.hexdigest()
        self._file.save(update_fields=["size", "sha256"])
        return self._file

    def _save(self, content: bytes) -> None:
        FileBlock.objects.create(file=self._file, position=self._position, content=content)
        self._digest.update(content)
        self._position += 1
        self._file.size += len(content)


@contextmanager
def writing(job: Job, *, name: str, media_type: str, role: str = File.Role.RESULT) -> Iterator[FileWriter]:
    """A file of a job to write to; one of the same name takes the place of the older one.

    It is whole when the block ends well, and is left without an end when it raises.
    """
    File.objects.filter(job=job, name=name).delete()
    writer = FileWriter(File.objects.create(job=job, name=name, media_type=media_type, role=role))
    yield writer
    writer.finish()


def save(
    job: Job, parts: Iterable[bytes], *, name: str, media_type: str, role: str = File.Role.RESULT
) -> File:
    """Keep a file that comes in parts of any size."""
    with writing(job, name=name, media_type=media_type, role=role) as writer:
        for part in parts:
            writer.write(part)
    return writer.finish()


@transaction.atomic
def copy(file: File, job: Job) -> File:
    """The same file for another job, copied within the database."""
    fields = {name: getattr(file, name) for name in ("name", "media_type", "role", "size", "sha256")}
    made = File.objects.create(job=job, **fields)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO nexus_jobs_fileblock (file_id, position, content)"
            " SELECT %s, position, content FROM nexus_jobs_fileblock WHERE file_id = %s",
            [made.pk, file.pk],
        )
    return made


def stream(file: File) -> Iterator[bytes]:
    """The bytes of a file, block by block, each read when it is asked for."""
    position = 0
    while (content := block(file, position)) is not None:
        yield content
        position += 1


def opened(file: File) -> IO[bytes]:
    """A file to read from and to seek in."""
    return io.BufferedReader(FileReader(file))


class FileReader(io.RawIOBase):
    """Reads a file of a job from any place, with a few blocks in memory."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._place = 0
        self._at_hand: dict[int, bytes] = {}

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._file.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Some bytes from where the last ones ended; none at the end."""
        if self._place >= self._file.size:
            return 0
        position, start = divmod(self._place, BLOCK_BYTES)
        part = self._content(position)[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)

    def _content(self, position: int) -> bytes:
        if position not in self._at_hand:
            while len(self._at_hand) >= BLOCKS_AT_HAND:
                del self._at_hand[next(iter(self._at_hand))]
            # Nothing where the job, and with it the file, has been deleted meanwhile.
            self._at_hand[position] = block(self._file, position) or b""
        return self._at_hand[position]


def block(file: File, position: int) -> bytes | None:
    """The bytes of one block; None where there is none."""
    content = FileBlock.objects.filter(file=file, position=position).values_list("content", flat=True).first()
    return None if content is None else bytes(content)


# What files of jobs are, as their answers may be asked for by ``Accept``.
MEDIA_TYPES = (
    "application/octet-stream",
    "text/csv",
    "application/jsonl",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)


def download(file: File, request: Request) -> HttpResponseBase:
    """An answer that streams a file; 304 when the caller has it. The caller has seen to it that the user may."""
    name, tag = quote(file.name), f'"{file.sha256}"'
    if is_known(request, tag):
        return HttpResponse(status=304, headers={"ETag": tag})
    return StreamingHttpResponse(
        stream(file),
        content_type=file.media_type,
        headers={
            "Content-Length": str(file.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "ETag": tag,
        },
    )


def put_block(file: File, position: int, content: bytes) -> None:
    """Keep a block of any size of a file that is read by its blocks alone."""
    FileBlock.objects.create(file=file, position=position, content=content)
