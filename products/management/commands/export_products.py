"""``manage.py export_products``: products as a CSV, XLSX or JSON lines file."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from nexus.api.errors import Problem
from products import counting
from products.files.formats import FORMATS
from products.filters import ProductFilterSet
from products.services import exports

STDOUT = "-"


class Command(BaseCommand):
    """Writes in this process, whatever the size, off a cursor of the database."""

    help = "Write products, all or those that filters let through, to a file that import_products reads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, in which format, and the filters of the list of products."""
        parser.add_argument(
            "output", nargs="?", default=STDOUT, help="a file; the standard output without it"
        )
        parser.add_argument(
            "--format",
            choices=FORMATS,
            help="without it the ending of the file's name tells, and csv is taken where it does not",
        )
        for name, of_list in ProductFilterSet.base_filters.items():
            parser.add_argument(f"--{name}", metavar="VALUE", help=of_list.label)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, with a progress bar beside it. Raises CommandError for a wrong filter."""
        values = {name: options[name] for name in ProductFilterSet.base_filters if options[name] is not None}
        suffix = Path(options["output"]).suffix.removeprefix(".")
        form = options["format"] or (suffix if suffix in FORMATS else "csv")
        try:
            queryset = exports.chosen(values, pointer="")
            exports.check(queryset, form, pointer="/format")
        except Problem as problem:
            raise CommandError(str(problem.detail)) from None
        total = counting.count(queryset)
        with (
            tqdm(total=total, unit=" products", file=sys.stderr, disable=None) as bar,
            _opened(options["output"]) as output,
        ):
            for piece in exports.stream(queryset, form, tell=bar.update):
                output.write(piece)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    """A file to write, which has its name only when it is whole."""
    if name == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = Path(f"{name}.part")
    try:
        with unfinished.open("wb") as output:
            yield output
        unfinished.replace(name)
    finally:
        unfinished.unlink(missing_ok=True)
