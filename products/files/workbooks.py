"""Reading XLSX with openpyxl, row by row, behind guards: an archive may say little and unpack to more than there is.

defusedxml, which openpyxl uses where it is installed, refuses entities. What is guarded here is size: of all entries
together, of the texts that openpyxl keeps in memory, of one cell, of one row, and how much an entry grows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from zipfile import ZipFile

from openpyxl.reader.excel import ExcelReader

from nexus.api.errors import Problem
from products.files import xlsx
from products.files.layouts import MAX_CELL, Cell, Row
from products.files.unpacking import refused

MAX_ENTRIES = 2_000
MAX_BYTES = 4 * 2**30
# openpyxl keeps every text that cells share in memory.
MAX_SHARED_BYTES = 128 * 2**20
# Tables shrink to a tenth, and bombs to a thousandth.
MAX_GROWTH = 200
GROWTH_COUNTS_FROM = 2**20
MAX_ROW_BYTES = 8 * 2**20
SHARED = "sharedStrings"


def rows(content: IO[bytes]) -> Iterator[Row]:
    """The rows of a workbook that are not empty: of its first sheet, and of those with the same header.

    Numbers go on from sheet to sheet. Raises Problem (400) for what is no workbook, or too large a one.
    """
    with _understood():
        book = _open(content)
        header: tuple[Cell, ...] | None = None
        before = 0
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            number = 0
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if number > xlsx.MAX_ROWS:
                    raise refused("too_many_rows", "A sheet has more rows than Excel allows.")
                if not any(cell not in {None, ""} for cell in cells):
                    continue
                if header is None:
                    header = cells
                elif number == 1 and before:
                    if cells != header:
                        break
                    continue
                yield Row(before + number, [_plain(cell) for cell in cells])
            before += number


def _plain(cell: Cell) -> Cell:
    return xlsx.unescape(cell) if isinstance(cell, str) else cell


@contextmanager
def _understood() -> Iterator[None]:
    """What openpyxl makes of a broken workbook, told as what it means."""
    try:
        yield
    except (Problem, GeneratorExit):
        raise
    except Exception as error:
        # The library raises whatever happens to go wrong: KeyError, TypeError, errors of ZIP, zlib and XML.
        raise refused("malformed_xlsx", f"The workbook cannot be read ({type(error).__name__}).") from None


def _open(content: IO[bytes]) -> Any:
    archive = _GuardedArchive(content)
    reader = ExcelReader(content, read_only=True, data_only=True, keep_links=False)
    reader.archive.close()
    reader.archive = archive
    reader.read()
    return reader.wb


class _GuardedArchive(ZipFile):
    """A ZIP archive that is looked at before it is read, and while it is."""

    def __init__(self, content: IO[bytes]) -> None:
        super().__init__(content)
        entries = self.infolist()
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_BYTES:
            raise refused("too_large", "Unpacked, the workbook is too large.")
        for entry in entries:
            grown = (
                entry.file_size > GROWTH_COUNTS_FROM and entry.file_size > MAX_GROWTH * entry.compress_size
            )
            if grown or (SHARED in entry.filename and entry.file_size > MAX_SHARED_BYTES):
                raise refused("too_large", f"Unpacked, {entry.filename} of the workbook is too large.")
        if "[Content_Types].xml" not in self.namelist():
            raise refused("unsupported_format", "The file is a ZIP archive, but not a workbook.")

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """An entry that may be read as far as it is sane."""
        return _Guarded(super().open(*args, **kwargs))


class _Guarded:
    """An entry of an archive in which no text and no row is too long."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self._since_tag = self._since_row = 0
        self._counts_rows = "worksheets/" in str(getattr(inner, "name", ""))

    def read(self, size: int = -1) -> bytes:
        part = self._inner.read(size)
        self._since_tag = _distance(part, b"<", self._since_tag)
        if self._since_tag > 4 * MAX_CELL:
            raise refused("cell_too_long", f"A cell has more than {MAX_CELL:,} characters.")
        if self._counts_rows:
            self._since_row = _distance(part, b"row", self._since_row)
            if self._since_row > MAX_ROW_BYTES:
                raise refused("row_too_long", "A row of the workbook is too long.")
        return part

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> "_Guarded":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def _distance(part: bytes, mark: bytes, before: int) -> int:
    """How many bytes have gone by since a mark."""
    found = part.rfind(mark)
    return before + len(part) if found < 0 else len(part) - found
