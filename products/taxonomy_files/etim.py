"""The classes of the ETIM classification model as CSV, with groups above them and synonyms as keywords.

An export holds a table each of groups, classes, synonyms and features, named as below and packed into one ZIP; or one
table has a row a class (or a synonym of one), with its group (https://www.etim-international.com, "ETIM CSV").
What a class is called, and what its features are called, is what products can be recognised by; the units and values
of features are not read.
"""

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import PurePosixPath

from products.taxonomy_files.checking import MAX_KEYWORD
from products.taxonomy_files.decoding import MAX_BYTES, text_of
from products.taxonomy_files.reading import CategoryRow, Reading, UnreadableFileError
from products.taxonomy_files.tables import TableRow, keywords_of, rows_of

TABLES = ("etimartgroup", "etimartclass", "etimartclasssynonymmap", "etimfeature", "etimartclassfeaturemap")
CLASS = ("artclassid", "classcode", "classid", "etimclass", "etimclasscode")
CLASS_NAME = ("artclassdesc", "classdescription", "classname", "classdesc")
GROUP = ("artgroupid", "groupcode", "groupid")
GROUP_NAME = ("groupdesc", "groupdescription", "groupname", "artgroupdesc")
SYNONYM = ("classsynonym", "synonym", "synonyms")
FEATURE = ("featuredesc", "featurename", "featuredescription")
# A class has up to a hundred features; the first ones say what it is, the last how it is packed.
KEPT_FEATURES = 20


class _Classes:
    """Groups and classes as they are gathered from rows that repeat them."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.rows: dict[str, CategoryRow] = {}
        self.keywords: dict[str, dict[str, None]] = {}
        self.features: dict[str, dict[str, None]] = {}

    def group(self, row: TableRow) -> None:
        code = row.first(*GROUP)
        if code and code not in self.rows:
            self.rows[code] = CategoryRow(code, row.first(*GROUP_NAME), line=row.line)

    def class_(self, row: TableRow) -> None:
        code = row.first(*CLASS)
        if code in self.rows:
            return
        if not code:
            mend = "Give the code of the class, such as EC000001."
            self.reading.note(row.line, "class", "required", "", "The row names no class.", mend)
            return
        self.rows[code] = CategoryRow(code, row.first(*CLASS_NAME), row.first(*GROUP), line=row.line)

    def synonym(self, row: TableRow) -> None:
        found = self.keywords.setdefault(row.first(*CLASS), {})
        told = keywords_of(row.first(*SYNONYM))
        found.update(dict.fromkeys(keyword for keyword in told if len(keyword) <= MAX_KEYWORD))

    def feature(self, row: TableRow) -> None:
        if name := row.first(*FEATURE):
            self.features.setdefault(row.first(*CLASS), {})[name] = None

    def finished(self) -> Reading:
        """All groups and classes; the names of a class's features are its description."""
        for code, row in self.rows.items():
            names = list(self.features.get(code, ()))[:KEPT_FEATURES]
            self.reading.rows.append(
                CategoryRow(
                    code, row.name, row.parent, list(self.keywords.get(code, ())), ", ".join(names), row.line
                )
            )
        return self.reading


def read_etim(text: str) -> Reading:
    """One table with a row a class."""
    classes = _Classes()
    for row in rows_of(text, classes.reading):
        classes.group(row)
        classes.class_(row)
        classes.synonym(row)
        classes.feature(row)
    return classes.finished()


def read_etim_archive(content: bytes) -> Reading:
    """The tables of an export in a ZIP. Raises UnreadableFileError for one that lacks classes, or grows too large."""
    tables = _tables(content)
    if "etimartclass" not in tables:
        raise UnreadableFileError("no_classes", "The archive has no table ETIMARTCLASS.")
    classes = _Classes()
    names = {row.first("featureid"): row for row in _rows(tables, "etimfeature", classes)}
    readers: dict[str, Callable[[TableRow], None]] = {
        "etimartgroup": classes.group,
        "etimartclass": classes.class_,
        "etimartclasssynonymmap": classes.synonym,
    }
    for table, take in readers.items():
        for row in _rows(tables, table, classes):
            take(row)
    for row in _rows(tables, "etimartclassfeaturemap", classes):
        if known := names.get(row.first("featureid")):
            classes.feature(TableRow(row.line, {**known.cells, **row.cells}))
    return classes.finished()


def _rows(tables: dict[str, str], table: str, classes: _Classes) -> Iterator[TableRow]:
    return rows_of(tables[table], classes.reading) if table in tables else iter(())


def _tables(content: bytes) -> dict[str, str]:
    """The texts of the known tables. What an archive says of its sizes is not believed."""
    tables, left = {}, MAX_BYTES
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for entry in archive.infolist():
                table = PurePosixPath(entry.filename).stem.casefold()
                if table not in TABLES:
                    continue
                with archive.open(entry) as file:
                    unpacked = file.read(left + 1)
                left -= len(unpacked)
                if left < 0:
                    raise UnreadableFileError(
                        "too_large", f"Unpacked, it has more than {MAX_BYTES // 2**20} MB."
                    )
                tables[table] = text_of(unpacked)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise UnreadableFileError("malformed_zip", "The archive cannot be unpacked; pack it again.") from None
    return tables
