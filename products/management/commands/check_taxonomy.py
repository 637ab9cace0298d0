"""``manage.py check_taxonomy``: prove that the trees of taxonomies are sound."""

from argparse import ArgumentParser
from typing import Any

import pghistory
from django.core.management.base import BaseCommand, CommandError

from products.management.references import taxonomy_named
from products.models import Taxonomy
from products.services.loading import faults, repair


class Command(BaseCommand):
    """Compares the path, lineage, level and leaf mark of every category with what its parents say."""

    help = "Prove that the trees of all taxonomies are sound, or of one; exit with 1 and a list when they are not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which taxonomy, and whether to mend it."""
        parser.add_argument("taxonomy", nargs="?", help="A code, or code@version; all taxonomies without it.")
        parser.add_argument("--repair", action="store_true", help="Derive everything from the parents again.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check each taxonomy, and say what is wrong. Raises CommandError when something still is."""
        wrong = 0
        for taxonomy in _chosen(options["taxonomy"]):
            if options["repair"]:
                with pghistory.context(source="check_taxonomy"):
                    self.stdout.write(f"{taxonomy}: {repair(taxonomy)} categories repaired")
            found = faults(taxonomy)
            for fault in found:
                self.stderr.write(f"{taxonomy}: {fault}")
            if not found:
                self.stdout.write(f"{taxonomy}: {taxonomy.categories.count()} categories, all sound")
            wrong += len(found)
        if wrong:
            raise CommandError(f"Found {wrong} faults; 'check_taxonomy --repair' mends all but circles.")


def _chosen(reference: str | None) -> list[Taxonomy]:
    if not reference:
        return list(Taxonomy.objects.order_by("code", "id"))
    return [taxonomy_named(reference)]
