"""``manage.py import_taxonomy``: a published taxonomy from a file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pghistory
from django.core.management.base import BaseCommand, CommandError

from nexus.api.errors import Problem
from products.services import taxonomy_imports
from products.services.taxonomy_imports import Import, Wanted
from products.taxonomy_files import Format


class Command(BaseCommand):
    """Imports in this process, whatever the size, and prints the report as JSON."""

    help = "Import a taxonomy from Google's or Shopify's text, or a table of UNSPSC, ETIM or code,parent,name,keywords."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what it does not say itself."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", default="", choices=[form.value for form in Format])
        parser.add_argument(
            "--code", default="", help="Of the taxonomy; published ones have one of their own."
        )
        # Django has an option --version of its own.
        parser.add_argument("--taxonomy-version", default="", help="Where the file does not say it.")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--language", default="", help="Of the names, such as de; guessed from the file name."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Tell all mistakes and changes, write nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, check and load. Raises CommandError when the file is wrong; every mistake is printed before."""
        opened = _opened(options)
        for issue in opened.reading.issues:
            self.stderr.write(str(issue))
        report = self._report(opened, dry_run=options["dry_run"])
        self.stdout.write(json.dumps({**report, "errors": report["error_count"]}))
        if report["error_count"]:
            raise CommandError(f"{report['error_count']} mistakes; nothing was written.")

    def _report(self, opened: Import, *, dry_run: bool) -> dict[str, Any]:
        if dry_run or opened.reading.issues:
            return taxonomy_imports.preview(opened)
        with pghistory.context(source="import_taxonomy"):
            return taxonomy_imports.load(opened)


def _opened(options: dict[str, Any]) -> Import:
    wanted = Wanted(
        format=options["format"],
        code=options["code"],
        version=options["taxonomy_version"],
        name=options["name"],
        language=options["language"],
    )
    try:
        return taxonomy_imports.open_file(options["file"].read_bytes(), options["file"].name, wanted)
    except OSError as error:
        raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
    except Problem as problem:
        raise CommandError(str(problem.detail)) from None
