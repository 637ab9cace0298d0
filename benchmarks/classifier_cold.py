"""How well the classifier ranks without any example, measured on the demo products of the built-in taxonomy.

    python -m benchmarks.classifier_cold [--misses]

Prints top-1 and top-5 accuracy of the answers, how many are certain and how many of these are right, and one
JSON line; ``--misses`` lists the products whose first answer is wrong.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from classification.engine import Category, Classifier, Prediction, Text, fit

DATA = Path(__file__).resolve().parent.parent / "products" / "data"
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """All rows of a data file."""
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def taxonomy() -> list[Category]:
    """The categories of the built-in taxonomy, numbered in the order of the file."""
    by_code = {row["code"]: row for row in rows("nexus-hardware.csv")}
    parents = {row["parent"] for row in by_code.values()}
    return [
        Category(
            id=number,
            code=row["code"],
            name=row["name"],
            path=" > ".join(reversed(list(names_upwards(row, by_code)))),
            keywords=tuple(keyword for keyword in row["keywords"].split("|") if keyword),
            is_leaf=row["code"] not in parents,
        )
        for number, row in enumerate(by_code.values(), start=1)
    ]


def names_upwards(row: Row, by_code: dict[str, Row]) -> Iterator[str]:
    """The names of a category and of those above it."""
    while True:
        yield row["name"]
        if row["parent"] not in by_code:
            return
        row = by_code[row["parent"]]


def text_of(row: Row) -> Text:
    """A demo product as the engine sees it."""
    return Text(row["name"], row["description"], row["manufacturer"], row["part_number"])


class Outcome(NamedTuple):
    """What a product is, and what the classifier took it for (codes, best first)."""

    name: str
    category: str
    answers: list[str]
    confidence: float
    is_first: bool
    is_certain: bool


def outcome(row: Row, prediction: Prediction, codes: dict[int, str]) -> Outcome:
    """Compare a prediction with the category in the data file."""
    answers = [codes[candidate.category_id] for candidate in prediction.candidates]
    is_first = answers[:1] == [row["category"]]
    return Outcome(
        row["name"], row["category"], answers, prediction.confidence, is_first, prediction.is_certain
    )


def measure(classifier: Classifier, texts: list[Text]) -> tuple[list[Prediction], float]:
    """Predictions and how many products were classified a second of processor time."""
    started = time.process_time()
    predictions = classifier.predict(texts)
    return predictions, len(texts) / (time.process_time() - started)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--misses", action="store_true", help="list the products whose first answer is wrong")
    arguments = parser.parse_args()
    categories = taxonomy()
    codes = {category.id: category.code for category in categories}
    products = [row for row in rows("demo_products.csv") if row["category"]]
    predictions, speed = measure(fit(categories), [text_of(row) for row in products])
    outcomes = [
        outcome(row, prediction, codes) for row, prediction in zip(products, predictions, strict=True)
    ]
    for one in outcomes:
        if arguments.misses and not one.is_first:
            print(f"{one.name}\n    is {one.category}, got {one.confidence:.2f} {one.answers[:3]}")
    certain = [one.is_first for one in outcomes if one.is_certain]
    figures = {
        "products": len(products),
        "leaves": sum(category.is_leaf for category in categories),
        "top_1": round(sum(one.is_first for one in outcomes) / len(outcomes), 4),
        "top_5": round(sum(one.category in one.answers for one in outcomes) / len(outcomes), 4),
        "certain": round(len(certain) / len(outcomes), 4),
        "precision_of_certain": round(sum(certain) / len(certain), 4) if certain else None,
        "products_per_second": round(speed),
    }
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
