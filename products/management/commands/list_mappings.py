"""``manage.py list_mappings``: the steps between two taxonomies as CSV, which ``confirm_mappings`` takes back."""

import csv
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from products.files.formulas import neutralise
from products.management.references import taxonomy_named
from products.models import CategoryMapping

COLUMNS = {
    "source_code": "source__code",
    "source_path": "source__path",
    "target_code": "target__code",
    "target_path": "target__path",
    "kind": "kind",
    "basis": "basis",
    "confidence": "confidence",
    "is_decided": "is_decided",
}


class Command(BaseCommand):
    """Writes every step, or those that a person has to look at, in order of their ids."""

    help = "Write the steps between two taxonomies as CSV; with --open only the suggestions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where to where, and which."""
        parser.add_argument("source", help="code@version")
        parser.add_argument("target", help="code@version")
        parser.add_argument("--open", action="store_true", help="only what is not decided")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write. Raises CommandError for what is no taxonomy."""
        steps = CategoryMapping.objects.filter(
            source_taxonomy=taxonomy_named(options["source"]),
            target_taxonomy=taxonomy_named(options["target"]),
        ).order_by("id")
        if options["open"]:
            steps = steps.filter(is_decided=False)
        writer = csv.writer(self.stdout, lineterminator="")
        writer.writerow(COLUMNS)
        for cells in steps.values_list(*COLUMNS.values()).iterator():
            writer.writerow([neutralise(cell) if isinstance(cell, str) else cell for cell in cells])
