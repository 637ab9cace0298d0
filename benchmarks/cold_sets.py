"""The sets that the cold start is measured on: labelled products, and categories made of their labels alone."""

import csv
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from classification.engine import Category, Text
from classification.engine.thesaurus import built_in_categories

HERE = Path(__file__).resolve().parent
PRODUCTS = HERE.parent / "products" / "data"
SEPARATOR = " > "
Row = dict[str, str]


class Labelled(NamedTuple):
    """A product and the ids of the categories that are right for it."""

    text: Text
    right: frozenset[int]


def table(path: Path) -> list[Row]:
    """All rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def records(path: Path) -> list[dict[str, Any]]:
    """All records of a gzip'd JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def label_of(record: Mapping[str, Any]) -> str:
    """The path of a record's category."""
    return SEPARATOR.join(record["category"])


def text_of(record: Mapping[str, Any], is_title_only: bool) -> Text:
    """A record as the engine sees it."""
    if is_title_only:
        return Text(record["title"])
    return Text(
        record["title"], record["description"], record["brand"], attributes=dict(record["attributes"] or {})
    )


def categories_of(labels: Iterable[str], keywords: Mapping[str, tuple[str, ...]]) -> list[Category]:
    """Every label is a leaf; the steps above it are inner categories unless they are labels themselves."""
    leaves = sorted(set(labels))
    inner = {
        SEPARATOR.join(steps[:depth])
        for steps in (leaf.split(SEPARATOR) for leaf in leaves)
        for depth in range(1, len(steps))
    }
    paths = [*leaves, *sorted(inner.difference(leaves))]
    return [
        Category(number, path, path.split(SEPARATOR)[-1], path, keywords.get(path, ()), number <= len(leaves))
        for number, path in enumerate(paths, start=1)
    ]


def hand_written_keywords(name: str) -> dict[str, tuple[str, ...]]:
    """Synonyms by category path, written from knowledge of the field and not from the products."""
    rows = table(HERE / "cold_keywords.csv")
    return {row["category"]: tuple(row["keywords"].split("|")) for row in rows if row["set"] == name}


def nexus_hardware(extra: Mapping[str, tuple[str, ...]] | None = None) -> list[Category]:
    """The categories of the built-in taxonomy; ``extra`` keywords by code."""
    more = extra or {}
    return [replace(one, keywords=(*one.keywords, *more.get(one.code, ()))) for one in built_in_categories()]


def labelled_by_path(
    found: Sequence[Mapping[str, Any]], categories: Sequence[Category], is_title_only: bool
) -> list[Labelled]:
    """Records whose category is right by its own path alone."""
    ids = {category.path: category.id for category in categories}
    return [Labelled(text_of(record, is_title_only), frozenset([ids[label_of(record)]])) for record in found]


def labelled_by_mapping(
    found: Sequence[Mapping[str, Any]], categories: Sequence[Category], is_title_only: bool
) -> list[Labelled]:
    """Records for which every leaf at or below a node that their label is mapped to is right."""
    nodes = {row["label"]: tuple(row["codes"].split("|")) for row in table(HERE / "diy_ie_to_nexus.csv")}
    below = {
        label: frozenset(
            category.id
            for category in categories
            if category.is_leaf and any(f"{category.code}.".startswith(f"{code}.") for code in codes)
        )
        for label, codes in nodes.items()
    }
    return [Labelled(text_of(record, is_title_only), below[label_of(record)]) for record in found]


def demo_products(categories: Sequence[Category]) -> list[Labelled]:
    """The demo products that have a category."""
    ids = {category.code: category.id for category in categories}
    return [
        Labelled(
            Text(row["name"], row["description"], row["manufacturer"], row["part_number"]),
            frozenset([ids[row["category"]]]),
        )
        for row in table(PRODUCTS / "demo_products.csv")
        if row["category"]
    ]
