"""Product data as files: JSON lines of labelled products, and taxonomies as CSV.

A line of products is an object with ``title`` and ``category`` (the names from root to leaf, or one string), and
optionally ``description``, ``brand``, ``part_number`` and ``attributes`` (an object). A taxonomy has the columns
``code``, ``parent`` (a code, empty at the root), ``name`` and ``keywords`` (separated by ``|``).
"""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classification.engine.data import AttributeValue, Category, Text

SEPARATOR = " > "
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Record:
    """A product and the path of the category it is known to belong to, empty when it is not known."""

    text: Text
    label: str


def read_records(path: Path) -> Iterator[Record]:
    """The products of a JSON-lines file, compressed with gzip or not.

    Raises:
        ValueError: a line is no object, or has no title.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        is_compressed = file.read(2) == _GZIP_MAGIC
    opened = gzip.open if is_compressed else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _record(line, f"{path.name}, line {number}")


def _record(line: str, where: str) -> Record:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if not isinstance(row, dict) or not isinstance(row.get("title"), str):
        raise ValueError(f"{where}: an object with a title is expected")
    text = Text(
        name=row["title"],
        description=str(row.get("description") or ""),
        manufacturer=str(row.get("brand") or ""),
        part_number=str(row.get("part_number") or ""),
        attributes=_attributes(row.get("attributes") or {}),
    )
    return Record(text, _label(row.get("category") or ""))


def _label(category: Any) -> str:
    return SEPARATOR.join(map(str, category)) if isinstance(category, list) else str(category)


def _attributes(given: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Attributes with plain values; others are written as JSON."""
    return {
        name: value if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
        for name, value in given.items()
        if value is not None
    }


def categories_of_labels(labels: Iterable[str]) -> list[Category]:
    """A taxonomy that holds the labels and every node above them, numbered from 1 in the order of their paths.

    Each label may be answered, even where other labels lie below it.
    """
    answerable = {label for label in labels if label}
    parts = {tuple(label.split(SEPARATOR)) for label in answerable}
    nodes = sorted({path[:depth] for path in parts for depth in range(1, len(path) + 1)})
    return [
        Category(
            id=number,
            code=SEPARATOR.join(path),
            name=path[-1],
            path=SEPARATOR.join(path),
            is_leaf=SEPARATOR.join(path) in answerable,
        )
        for number, path in enumerate(nodes, start=1)
    ]


def read_categories(path: Path) -> list[Category]:
    """The categories of a taxonomy file, numbered from 1 in the order of its lines.

    Raises:
        ValueError: a column is missing, or a parent is unknown or its own descendant.
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    try:
        by_code = {row["code"]: row for row in rows}
        parents = {row["parent"] for row in rows}
        return [
            Category(
                id=number,
                code=row["code"],
                name=row["name"],
                path=SEPARATOR.join(reversed(_names_upwards(row, by_code))),
                keywords=tuple(keyword for keyword in (row["keywords"] or "").split("|") if keyword),
                is_leaf=row["code"] not in parents,
            )
            for number, row in enumerate(rows, start=1)
        ]
    except KeyError as error:
        raise ValueError(f"{path.name} has no column or code {error}") from None


def _names_upwards(row: Mapping[str, str], by_code: Mapping[str, Mapping[str, str]]) -> list[str]:
    names = [row["name"]]
    while row["parent"]:
        row = by_code[row["parent"]]
        names.append(row["name"])
        if len(names) > len(by_code):
            raise ValueError(f"the parents of {row['code']!r} go round in a circle")
    return names
