"""A workbook as the text of a CSV file, so that every format whose columns have names may come as XLSX too."""

import csv
from io import BytesIO, StringIO

from nexus.api.errors import Problem
from products.files import workbooks
from products.files.columns import read_text
from products.files.layouts import Cell
from products.taxonomy_files.decoding import MAX_LINES
from products.taxonomy_files.reading import UnreadableFileError

# Every XLSX file has such an entry, and no other archive that is read here.
CONTENT_TYPES = "[Content_Types].xml"


def text_of_workbook(content: bytes) -> str:
    """The rows of the first sheet, each in the line of its number. Raises UnreadableFileError."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    line = 1
    try:
        for row in workbooks.rows(BytesIO(content)):
            text.write("\n" * (row.number - line))
            writer.writerow(_shown(list(row.cells)))
            line = row.number + 1
            if line > MAX_LINES:
                raise UnreadableFileError("too_many_lines", f"The sheet has more than {MAX_LINES} rows.")
    except Problem as problem:
        raise UnreadableFileError(problem.code, str(problem.detail)) from None
    return text.getvalue()


def _shown(cells: list[Cell]) -> list[str]:
    """Cells as texts of one line, without those at the end that are empty."""
    texts = [" ".join(read_text(cell).split()) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return texts
