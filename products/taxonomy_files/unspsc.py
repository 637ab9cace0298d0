"""The United Nations Standard Products and Services Code as a table, in the layouts that are about.

A code has eight digits: two each for the segment, the family, the class and the commodity, with zeros for what lies
below (https://www.undp.org/unspsc, "Code set structure"). One layout has a row a code with the key of its parent, one
a row a code alone, and one a row a commodity that repeats the segment, family and class above it: that is the workbook
which UNDP publishes, with a title and the terms of use above its header.
"""

import re

from products.taxonomy_files.checking import MAX_KEYWORD
from products.taxonomy_files.reading import CategoryRow, Reading
from products.taxonomy_files.tables import TableRow, header_of, keywords_of, rows_of

LEVELS = ("segment", "family", "class", "commodity")
_CODE = re.compile(r"\d{2}(\d{2}){0,3}")
_DIGITS = 8


def read_unspsc(text: str) -> Reading:
    """Any of the layouts."""
    reading = Reading()
    columns = set(header_of(text))
    if {"key", "parentkey"} <= columns:
        _read_keys(text, reading)
    elif any({level, f"{level}code"} & columns for level in LEVELS):
        _read_levels(text, reading)
    else:
        _read_codes(text, reading)
    return reading


def _read_keys(text: str, reading: Reading) -> None:
    rows = list(rows_of(text, reading))
    codes = {row.cells["key"]: _whole(row.first("code")) for row in rows if row.first("key")}
    for row in rows:
        key = row.first("parentkey")
        parent = codes.get(key, "")
        if key and not parent:
            mend = "Add the row with this key, or leave the parent key of a segment empty."
            reading.note(row.line, "parent key", "no_parent", key, "No row has this key.", mend)
        _add(reading, row, row.first("code"), row.first("title"), parent)


def _read_codes(text: str, reading: Reading) -> None:
    for row in rows_of(text, reading):
        code = row.first("code")
        _add(reading, row, code, row.first("title", "name", "description"), _above(_whole(code)))


def _read_levels(text: str, reading: Reading) -> None:
    """Each of the four levels of each row, the first time that it comes."""
    seen: dict[str, str] = {}
    for row in rows_of(text, reading):
        parent = ""
        for level in LEVELS:
            code, title = row.first(f"{level}code", level), row.first(f"{level}title", f"{level}name")
            if not code:
                continue
            whole = _whole(code)
            if whole not in seen:
                seen[whole] = title
                _add(reading, row, code, title, parent, level)
            elif seen[whole] != title:
                mend = f"Give the {level} one title; an earlier row has {seen[whole]!r}."
                reading.note(row.line, f"{level} title", "two_titles", title, "The code has another.", mend)
            parent = whole


def _add(
    reading: Reading, row: TableRow, code: str, title: str, parent: str, level: str = LEVELS[-1]
) -> None:
    if not _CODE.fullmatch(code):
        mend = "Give 2, 4, 6 or 8 digits; spreadsheets are apt to drop zeros or add decimals."
        reading.note(row.line, "code", "malformed_code", code, "This is no code of UNSPSC.", mend)
        return
    keywords: list[str] = []
    definition = row.first(f"{level}definition")
    if level == LEVELS[-1]:
        told = [*keywords_of(row.first("synonym", "synonyms")), *keywords_of(row.first("acronym"))]
        keywords = [keyword for keyword in told if len(keyword) <= MAX_KEYWORD]
        definition = definition or row.first("definition")
    name = " ".join(title.split())
    reading.rows.append(
        CategoryRow(_whole(code), name, parent, keywords or None, definition or None, line=row.line)
    )


def _whole(code: str) -> str:
    return code.ljust(_DIGITS, "0")


def _above(code: str) -> str:
    """The code above one, and nothing above a segment; ``10101501`` is below ``10101500``."""
    kept = code.rstrip("0")
    pairs = (len(kept) + 1) // 2 - 1
    return _whole(code[: 2 * pairs]) if pairs > 0 else ""
