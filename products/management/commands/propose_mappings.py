"""``manage.py propose_mappings``: the steps between two taxonomies that codes, paths and names tell."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nexus.api.errors import Problem
from products.management.references import taxonomy_named
from products.services import mapping


class Command(BaseCommand):
    """Adds what is missing, and prints how many steps of each kind as JSON."""

    help = (
        "Propose steps between two taxonomies, or two versions of one, for the categories that have none yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where to where."""
        parser.add_argument("source", help="code@version")
        parser.add_argument("target", help="code@version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Propose. Raises CommandError for what is no taxonomy, or twice the same."""
        source, target = taxonomy_named(options["source"]), taxonomy_named(options["target"])
        try:
            counts = mapping.propose(source, target)
        except Problem as problem:
            raise CommandError(str(problem.detail)) from None
        self.stdout.write(json.dumps(counts))
