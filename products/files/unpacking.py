"""What an uploaded file is, by its first bytes whatever its name says, and its bytes without compression."""

import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from nexus.api.errors import Problem, invalid
from products.files.layouts import MAX_UNPACKED

GZIP = b"\x1f\x8b"
GZIP_SIZE_BYTES = 4
ZIP = b"PK\x03\x04"
# How other files begin that people take for tables.
OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls). Save it as .xlsx or CSV",
    b"%PDF": "a PDF",
    b"PK\x05\x06": "an empty ZIP archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "compressed with bzip2. Use gzip",
    b"\xfd7zXZ": "compressed with xz. Use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd. Use gzip",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


def refused(code: str, detail: str) -> Problem:
    """A file that cannot be read at all."""
    return invalid("/file", code, detail)


class _Unpacked(io.RawIOBase):
    """The bytes of a gzip file, up to a limit; what is wrong about it is a problem of the user's.

    To get to a place in it, all that comes before is unpacked again.
    """

    def __init__(self, packed: IO[bytes]) -> None:
        self._inner = gzip.GzipFile(fileobj=packed, mode="rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _as_told():
            return self._inner.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        with _as_told():
            part = self._inner.read(len(buffer))
        if self._inner.tell() > MAX_UNPACKED:
            raise refused("too_large", f"Unpacked, the file is larger than {MAX_UNPACKED // 2**30} GiB.")
        buffer[: len(part)] = part
        return len(part)


@contextmanager
def _as_told() -> Iterator[None]:
    """What is wrong about a gzip file, as a problem."""
    try:
        yield
    except (OSError, EOFError, zlib.error):
        raise refused("malformed_gzip", "The gzip file is damaged or not complete.") from None


def unpacked(file: IO[bytes]) -> tuple[IO[bytes], bool]:
    """The content of a file, and whether it was compressed."""
    file.seek(0)
    is_packed = file.read(2) == GZIP
    file.seek(0)
    return (io.BufferedReader(_Unpacked(file)) if is_packed else file), is_packed


def is_workbook(content: IO[bytes], first: bytes) -> bool:
    """Whether the content is XLSX. Raises Problem (400) for what is no table at all."""
    for beginning, what in OTHERS.items():
        if first.startswith(beginning):
            raise refused("unsupported_format", f"The file is {what}.")
    return first.startswith(ZIP)


def unpacked_size(file: IO[bytes]) -> int:
    """Bytes of the content of a file. The end of a gzip file tells them, but for whole 4 GiB (RFC 1952)."""
    is_packed = unpacked(file)[1]
    size = file.seek(0, io.SEEK_END)
    if not is_packed:
        return size
    file.seek(-GZIP_SIZE_BYTES, io.SEEK_END)
    return max(size, int.from_bytes(file.read(GZIP_SIZE_BYTES), "little"))


def on_disk(content: IO[bytes], *, limit: int) -> IO[bytes]:
    """A copy of the content in which one can go back and forth. Raises Problem (400) when it gets too large."""
    copied: Any = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the last reference to it
    shutil.copyfileobj(io.BufferedReader(_Limited(content, limit)), copied, 2**20)
    copied.seek(0)
    return copied


class _Limited(io.RawIOBase):
    """Bytes of another stream, up to a limit."""

    def __init__(self, inner: IO[bytes], limit: int) -> None:
        self._inner, self._left = inner, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._inner.read(len(buffer))
        self._left -= len(part)
        if self._left < 0:
            raise refused("too_large", "Unpacked, the workbook is too large.")
        buffer[: len(part)] = part
        return len(part)
