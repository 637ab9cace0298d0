"""``manage.py evaluate_classifier``: how good the classifier would be on somebody's own data."""

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from classification.engine import Category, Classifier, Settings
from classification.engine.evaluation import Answers, quality, timed_answers, timed_fit
from classification.engine.records import Record, categories_of_labels, read_categories, read_records

KIBIBYTES_A_MEGABYTE = 1024


class Command(BaseCommand):
    """Trains on one file and tests on another, in this process and without a database."""

    help = (
        "Train on one JSON-lines file of products (title, category, optionally description, brand and attributes; "
        "gzip or not), test on another, and print the figures as one JSON line."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The data, the taxonomy, and what to learn from."""
        parser.add_argument("train", type=Path, help="products to learn from")
        parser.add_argument("test", type=Path, help="products to test with; they are read only to be scored")
        parser.add_argument(
            "--cold", action="store_true", help="show the titles of TRAIN without their categories"
        )
        parser.add_argument(
            "--taxonomy",
            type=Path,
            help="a CSV with the columns code, parent, name, keywords (default: the categories of TRAIN); "
            "a category of the products is then a path or a code, and answers below it are right",
        )
        parser.add_argument(
            "--promised", type=float, default=0.95, help="share of certain answers to be right"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, test, and print."""
        try:
            settings = Settings(promised_precision=options["promised"])
            train, test = _read(options["train"]), _read(options["test"])
            categories = _categories(options["taxonomy"], train)
            self._tell(f"Training on {len(train)} products ...")
            classifier, train_s = timed_fit(categories, train, settings, cold=options["cold"])
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        self._tell(f"Trained in {train_s:.1f} s.")
        with tqdm(total=len(test), unit=" products", desc="Testing", file=sys.stderr, disable=None) as bar:
            answers = timed_answers(classifier, [record.text for record in test], bar.update)
        figures = _figures(categories, train, test, answers, classifier) | {"train_s": round(train_s, 2)}
        self._report(figures, len(test))
        self.stdout.write(json.dumps(figures))

    def _report(self, figures: dict[str, Any], tested: int) -> None:
        certain = round(figures["promised95_coverage"] * tested)
        right = figures["promised95_precision"]
        held = f"{right:.1%} of them right" if right is not None else "so nothing is to be said of them"
        self._tell(
            f"{tested} products tested: {figures['top1']:.1%} right at first, {figures['top5']:.1%} among five; "
            f"{certain} certain, {held}; {figures['abstained']:.1%} left without an answer."
        )

    def _tell(self, line: str) -> None:
        self.stderr.write(line, style_func=str)


def _read(path: Path) -> list[Record]:
    records = [record for record in read_records(path) if record.label]
    if not records:
        raise ValueError(f"{path} has no product with a category")
    return records


def _categories(path: Path | None, train: list[Record]) -> list[Category]:
    return read_categories(path) if path else categories_of_labels(record.label for record in train)


def _figures(
    categories: list[Category],
    train: list[Record],
    test: list[Record],
    answers: Answers,
    classifier: Classifier,
) -> dict[str, Any]:
    labels = [record.label for record in test]
    seen = {record.label for record in train}
    # Taken before the figures are computed, which is no part of a classifier.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTES_A_MEGABYTE
    return {
        "peer": "nexus",
        "products": len(train),
        "classes": sum(category.is_leaf for category in categories),
        **quality(categories, labels, answers.predictions, seen),
        "predict_per_s": round(answers.per_second),
        "latency_ms": round(answers.latency_ms, 2),
        "model_mb": round(len(classifier.to_bytes()) / 1e6, 1),
        "peak_rss_mb": round(peak),
    }
