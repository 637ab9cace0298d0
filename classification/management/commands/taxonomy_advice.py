"""``manage.py taxonomy_advice``: which categories need keywords or examples, most useful first."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from classification.engine.advice import Advice, Reason, advise
from classification.services import engines, examples
from nexus.api.errors import Problem
from products.models import Taxonomy

DEFAULT_PRODUCTS = 5_000
DEFAULT_MOST = 20
NEEDS = {
    Reason.NO_KEYWORDS: "has no keywords",
    Reason.CONFUSED: "is confused with others",
    Reason.UNEXPLAINED_TERMS: "lacks words of its products",
}


def natural_number(text: str) -> int:
    """A number from 0 on. Raises ValueError."""
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


class Command(BaseCommand):
    """Looks at the products that no person has classified, and at what the taxonomy says about them."""

    help = "List the categories of a taxonomy that need keywords or examples, the most useful first."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which taxonomy, and how much."""
        parser.add_argument("taxonomy", help="code or code@version")
        parser.add_argument(
            "--most",
            type=natural_number,
            default=DEFAULT_MOST,
            help="how many categories to list",
        )
        parser.add_argument(
            "--products",
            type=natural_number,
            default=DEFAULT_PRODUCTS,
            help="how many of the newest products to look at",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the products, ask for advice, and list it."""
        try:
            taxonomy = engines.taxonomy_of(options["taxonomy"])
            categories = engines.categories_of(taxonomy)
        except Problem as problem:
            raise CommandError(str(problem.detail)) from None
        unclassified = examples.not_decided(options["products"])
        with tqdm(unclassified, unit=" products", desc="Reading", file=sys.stderr, disable=None) as bar:
            texts = list(bar)
        self.stderr.write(f"Looking for what would help {len(texts)} products ...", style_func=str)
        found = advise(categories, texts, examples.count_by_category(taxonomy), options["most"])
        paths = {category.id: category.path for category in categories}
        for number, advice in enumerate(found, start=1):
            self.stdout.write("\n".join(_lines(number, advice, paths)))
        self.stderr.write(self._end(found, len(texts), taxonomy), style_func=str)

    def _end(self, found: list[Advice], products: int, taxonomy: Taxonomy) -> str:
        if not found:
            return f"Nothing to advise: of {products} products none is in doubt for want of words."
        doubtful = sum(advice.products for advice in found)
        return (
            f"{len(found)} categories of {taxonomy.code} listed, to which {doubtful} doubtful ones of {products} "
            "products fall. Give them keywords, or label some of their products."
        )


def _lines(number: int, advice: Advice, paths: dict[int, str]) -> list[str]:
    lines = [f"{number}. {paths[advice.category_id]} {NEEDS[advice.reason]} ({advice.products} products)"]
    if advice.confused_with:
        lines.append(f"   confused with: {'; '.join(paths[pk] for pk in advice.confused_with)}")
    if advice.suggested_terms:
        lines.append(f"   words of its products: {', '.join(advice.suggested_terms)}")
    return lines
