"""What is wrong with the categories of a file whatever its format: every mistake, each at its line."""

from collections.abc import Iterator

from products.taxonomy_files.reading import CategoryRow, Issue, Reading

MAX_CATEGORIES = 300_000
MAX_LEVEL = 30
# What an index entry of PostgreSQL can hold, with room for the other columns.
MAX_PATH_BYTES = 2000
MAX_PATH = 1500
MAX_CODE, MAX_NAME, MAX_KEYWORD, MAX_KEYWORDS, MAX_DESCRIPTION = 100, 200, 100, 500, 20_000
SEPARATOR_SIZE = len(" > ")


def check(reading: Reading) -> Reading:
    """Note every mistake beside those that the format has; the issues come in the order of the file."""
    rows = reading.rows
    if not rows and not reading.issues:
        mend = "Give at least one category."
        reading.note(0, "file", "no_categories", "", "The file has no categories.", mend)
    if len(rows) > MAX_CATEGORIES:
        mend = "Import it in parts, or as several taxonomies."
        reading.note(
            0, "file", "too_many", str(len(rows)), f"It has more than {MAX_CATEGORIES} categories.", mend
        )
        return reading
    known: dict[str, CategoryRow] = {}
    for row in rows:
        reading.issues.extend(_own(row))
        if row.code and known.setdefault(row.code, row) is not row:
            mend = (
                f"Remove one of the two lines, or correct its code; the other is line {known[row.code].line}."
            )
            reading.note(row.line, "code", "duplicate", row.code, "The code comes twice.", mend)
    reading.issues.extend(_parents(rows, known))
    reading.issues.sort(key=lambda issue: issue.line)
    return reading


def _own(row: CategoryRow) -> Iterator[Issue]:
    """What is wrong with a row on its own."""
    for column, value, limit in (("code", row.code, MAX_CODE), ("name", row.name, MAX_NAME)):
        if not value:
            yield Issue(row.line, column, "required", "", "There is none.", f"Give a {column}.")
        elif len(value) > limit:
            yield _too_long(row.line, column, value, limit)
        if not value.isprintable():
            reason = "It has line breaks or other control characters."
            yield Issue(row.line, column, "control_character", value, reason, "Remove them.")
    if len(row.description or "") > MAX_DESCRIPTION:
        yield _too_long(row.line, "description", row.description or "", MAX_DESCRIPTION)
    for keyword in row.keywords or ():
        if len(keyword) > MAX_KEYWORD:
            yield _too_long(row.line, "keywords", keyword, MAX_KEYWORD)
    if len(row.keywords or ()) > MAX_KEYWORDS:
        reason = f"It has more than {MAX_KEYWORDS} keywords."
        yield Issue(row.line, "keywords", "too_many", "", reason, "Keep those that product titles have.")


def _too_long(line: int, column: str, value: str, limit: int) -> Issue:
    return Issue(
        line, column, "max_length", value, f"It has more than {limit} characters.", f"Shorten the {column}."
    )


def _parents(rows: list[CategoryRow], known: dict[str, CategoryRow]) -> Iterator[Issue]:
    """Parents that are missing, go round in a circle, or lie too deep."""
    sizes: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        if row.parent and row.parent not in known:
            mend = "Add a row with this code, or leave the parent empty."
            yield Issue(row.line, "parent", "no_parent", row.parent, "No row has this code.", mend)
        elif row.code not in sizes and (circle := _measure(row, known, sizes)):
            mend = f"Give one of them another parent: {' > '.join(circle[:10])}."
            yield Issue(row.line, "parent", "circle", row.parent, "The parents go round in a circle.", mend)
        level, length, size = sizes.get(row.code, (0, 0, 0))
        if level > MAX_LEVEL or length > MAX_PATH or size > MAX_PATH_BYTES:
            reason = (
                f"A path has at most {MAX_LEVEL} levels, {MAX_PATH} characters and {MAX_PATH_BYTES} bytes."
            )
            yield Issue(row.line, "parent", "too_deep", row.parent, reason, "Put it higher up.")


def _measure(
    row: CategoryRow, known: dict[str, CategoryRow], sizes: dict[str, tuple[int, int, int]]
) -> list[str]:
    """Find the level of a row and the characters and bytes of its path, and of all above it.

    Returns the codes of a circle of parents; those of the way that leads into it are measured as roots, so that a
    circle is told once.
    """
    way: list[CategoryRow] = []
    on_way: set[str] = set()
    at: CategoryRow | None = row
    while at is not None and at.code not in sizes and at.code not in on_way:
        way.append(at)
        on_way.add(at.code)
        at = known.get(at.parent) if at.parent else None
    is_circle = at is not None and at.code in on_way
    level, length, size = sizes.get(at.code, (0, 0, 0)) if at is not None else (0, 0, 0)
    for one in reversed(way):
        level, length = level + 1, length + len(one.name) + SEPARATOR_SIZE * (level > 0)
        size += len(one.name.encode("utf-8", "replace")) + SEPARATOR_SIZE * (level > 1)
        sizes[one.code] = level, length, size
    if not is_circle or at is None:
        return []
    return [one.code for one in way[[one.code for one in way].index(at.code) :]]
