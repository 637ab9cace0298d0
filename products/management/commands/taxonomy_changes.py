"""``manage.py taxonomy_changes``: what one version of a taxonomy changed, as CSV."""

import csv
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nexus.api.errors import Problem
from products.management.references import taxonomy_named
from products.services.comparing import compare


class Command(BaseCommand):
    """Writes every difference between two versions; the numbers of each kind go to the standard error."""

    help = "Write what a version of a taxonomy adds, removes, moves, renames and recodes, as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two versions."""
        parser.add_argument("old", help="code@version")
        parser.add_argument("new", help="code@version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and write. Raises CommandError for what is no version of one taxonomy."""
        try:
            comparison = compare(taxonomy_named(options["old"]), taxonomy_named(options["new"]))
        except Problem as problem:
            raise CommandError(str(problem.detail)) from None
        writer = csv.writer(self.stdout, lineterminator="")
        writer.writerow(["kind", "code", "path", "new_code", "new_path"])
        for kind, (before, after) in comparison.rows():
            cells = [(node.code, node.path) if node else ("", "") for node in (before, after)]
            writer.writerow([kind, *cells[0], *cells[1]])
        counts = comparison.report(0)["counts"]
        self.stderr.write(", ".join(f"{count} {kind}" for kind, count in counts.items()))
