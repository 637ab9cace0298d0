"""How well the classifier ranks, and how well it knows what it does not know, without any example.

    python -m benchmarks.classifier_cold [--data DIR] [--split test]

Measured are the demo products, product texts in three languages, texts of foreign domains, and speed; with the
directory of the labelled sets (the JSON-lines format of ``manage.py evaluate_classifier``) also these, beside
BM25 over the same category documents. ``frequencies`` means that the products' own document frequencies were
known. Prints a table and, as its last line, all figures as JSON.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.bm25 import BM25
from benchmarks.cold_sets import (
    HERE,
    Labelled,
    categories_of,
    demo_products,
    hand_written_keywords,
    label_of,
    labelled_by_mapping,
    labelled_by_path,
    nexus_hardware,
    records,
    table,
)
from classification.engine import Category, Text
from classification.engine.cold_start import COLD_THRESHOLD, ColdStart
from classification.engine.phrase_index import Floats, Truths

SETS = ("pcparts", "kicad_parts", "diy_ie")
LANGUAGES = ("de", "fr", "es")
_BATCH = 500
Figures = dict[str, dict[str, float | None]]


class Measured(NamedTuple):
    """A set: its name, its categories, and labelled products."""

    name: str
    categories: list[Category]
    products: list[Labelled]


def labelled_sets(directory: Path, split: str) -> Iterator[Measured]:
    """The labelled sets, by title and by whole text, with names only and with hand-written keywords."""
    for name in SETS:
        found = {part: records(directory / f"{name}.{part}.jsonl.gz") for part in ("train", "test")}
        labels = {label_of(record) for part in found.values() for record in part}
        keywords = hand_written_keywords(name)
        for kind, known in (("names", {}), ("keywords", keywords)):
            categories = categories_of(labels, known)
            for is_title_only in (True, False) if known or kind == "names" else ():
                products = labelled_by_path(found[split], categories, is_title_only)
                yield Measured(f"{name}, {kind}, {_text_kind(is_title_only)}", categories, products)
    found_diy = records(directory / f"diy_ie.{split}.jsonl.gz")
    categories = nexus_hardware()
    for is_title_only in (True, False):
        products = labelled_by_mapping(found_diy, categories, is_title_only)
        yield Measured(f"nexus-hardware on diy_ie, {_text_kind(is_title_only)}", categories, products)


def _text_kind(is_title_only: bool) -> str:
    return "title" if is_title_only else "whole text"


def language_sets() -> Iterator[Measured]:
    """Hand-written product titles in other languages, without and with translated names as keywords."""
    rows = table(HERE / "languages.csv")
    for language in LANGUAGES:
        own = [row for row in rows if row["language"] == language]
        translated = {row["code"]: (row["name"],) for row in own}
        for kind, names in (("English names", {}), ("translated names", translated)):
            categories = nexus_hardware(names)
            ids = {category.code: category.id for category in categories}
            products = [
                Labelled(Text(title), frozenset([ids[row["code"]]]))
                for row in own
                for title in row["titles"].split("|")
            ]
            yield Measured(f"{language}, {kind}", categories, products)


def hits(scores: Floats, cold: ColdStart, products: Sequence[Labelled], top: int) -> Truths:
    """For each product, whether one of the first leaves with a score is right."""
    ids = np.array([leaf.id for leaf in cold.leaves])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return np.array(
        [
            any(scores[row, leaf] > 0 and int(ids[leaf]) in product.right for leaf in order[row])
            for row, product in enumerate(products)
        ]
    )


def measure(one: Measured) -> dict[str, float | None]:
    """The figures of a set."""
    texts = [product.text for product in one.products]
    plain = ColdStart(one.categories)
    cold = ColdStart(one.categories, plain.count(texts))
    peer = BM25(cold.leaves)
    parts = []
    for start in range(0, len(texts), _BATCH):
        batch, products = texts[start : start + _BATCH], one.products[start : start + _BATCH]
        readings, alone, other = cold.read(batch), plain.read(batch), peer.scores(batch)
        parts.append(
            np.stack(
                [
                    hits(alone.scores.toarray(), cold, products, 1),
                    hits(readings.scores.toarray(), cold, products, 1),
                    hits(readings.scores.toarray(), cold, products, 5),
                    hits(other, cold, products, 1),
                    hits(other, cold, products, 5),
                    readings.confidence() >= COLD_THRESHOLD,
                ]
            )
        )
    lone, first, five, peer_first, peer_five, certain = np.concatenate(parts, axis=1)
    return {
        "products": len(texts),
        "top_1": _share(lone),
        "top_1_frequencies": _share(first),
        "top_5_frequencies": _share(five),
        "bm25_top_1": _share(peer_first),
        "bm25_top_5": _share(peer_five),
        "certain": _share(certain),
        "precision_of_certain": _share(first[certain]),
    }


def _share(found: Truths) -> float | None:
    return round(float(found.mean()), 4) if len(found) else None


def foreign() -> dict[str, float | None]:
    """Which part of the texts of each foreign domain is taken for a certain product of the built-in taxonomy."""
    cold = ColdStart(nexus_hardware())
    rows = table(HERE / "foreign_texts.csv")
    certain = cold.read([Text(row["text"]) for row in rows]).confidence() >= COLD_THRESHOLD
    domains = np.array([row["domain"] for row in rows])
    shares = {str(domain): _share(certain[domains == domain]) for domain in np.unique(domains)}
    return shares | {"all": _share(certain)}


def speed(categories: list[Category], texts: Sequence[Text]) -> dict[str, float | None]:
    """Processor time to build a cold start and to read texts, in batches of 1,000 and one by one."""
    started = time.process_time()
    cold = ColdStart(categories)
    built = time.process_time()
    cold.read(texts[:1000])
    warm = time.process_time()
    for start in range(0, len(texts), 1000):
        cold.read(texts[start : start + 1000])
    batched = time.process_time()
    for text in texts[:500]:
        cold.read([text])
    single = time.process_time()
    return {
        "leaves": len(cold.leaves),
        "seconds_to_build": round(built - started, 3),
        "products_per_second": round(len(texts) / (batched - warm)),
        "milliseconds_for_one": round(2 * (single - batched), 3),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="directory of the labelled sets")
    parser.add_argument("--split", choices=("train", "test"), default="test")
    arguments = parser.parse_args()
    categories = nexus_hardware()
    demo = Measured("demo products", categories, demo_products(categories))
    sets = [demo, *language_sets()]
    if arguments.data:
        sets += labelled_sets(arguments.data, arguments.split)
    figures: Figures = {}
    for one in sets:
        figures[one.name] = measure(one)
        report(one.name, figures[one.name])
    figures["foreign texts taken for certain"] = foreign()
    titles = [Text(product.text.name) for product in demo.products]
    figures["speed"] = speed(categories, titles * 5)
    for name in ("foreign texts taken for certain", "speed"):
        report(name, figures[name])
    print(json.dumps(figures))


def report(name: str, figures: dict[str, float | None]) -> None:
    """One block of the table."""
    print(name)
    print("    " + "  ".join(f"{key} {value}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
