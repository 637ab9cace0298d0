"""How fast products are exported, beside ``COPY … TO`` of PostgreSQL, and how much memory that takes.

``python -m benchmarks.exports`` measures the database at ``DATABASE_URL``, which `benchmarks.catalogue` has filled.
Each measurement is a process of its own, so that its peak of memory is its own too.
"""

import argparse
import json
import os
import subprocess
import sys
from statistics import median
from time import perf_counter
from typing import Any

SIZES = (10_000, 100_000, 1_000_000)
COPY = "copy"
# What a product has of its own; the export also names its category, from two other tables.
COLUMNS = (
    "id, sku, name, description, manufacturer, part_number, gtin, attributes, status, category_id, category_source, "
    "created_at, updated_at"
)


class Sink:
    """Counts what is written to it, and keeps nothing."""

    def __init__(self) -> None:
        self.size = 0
        self.first = 0.0

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self.first = self.first or perf_counter()
        self.size += len(data)
        return len(data)


def write(form: str, last: int, sink: Sink) -> None:
    """Export the products up to an id in a format, or have PostgreSQL copy them."""
    from django.db import connection

    from products.models import Product
    from products.services import exports

    if form == COPY:
        query = f"SELECT {COLUMNS} FROM products_product WHERE id <= {last} ORDER BY id"
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)", sink)
        return
    for piece in exports.stream(Product.objects.filter(pk__lte=last), form):
        sink.write(piece)


def measure(form: str, number: int) -> dict[str, Any]:
    """The seconds, bytes and milliseconds to the first byte of an export of the first `number` products."""
    import django

    django.setup()
    from products.models import Product

    last = Product.objects.order_by("pk").values_list("pk", flat=True)[number - 1]
    sink, started = Sink(), perf_counter()
    write(form, last, sink)
    seconds = perf_counter() - started
    return {"seconds": seconds, "bytes": sink.size, "first_ms": (sink.first - started) * 1000}


def measured(form: str, number: int) -> dict[str, Any]:
    """`measure` in a process of its own, with its peak of memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.exports", "--one", form, str(number)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return {**json.loads(output), "peak_mib": usage.ru_maxrss / 1024}


def row(form: str, number: int, rounds: int) -> dict[str, Any]:
    """The median of some rounds."""
    runs = [measured(form, number) for _ in range(rounds)]
    return {name: median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    """Print a table for each number of products."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("FORMAT", "PRODUCTS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nexus.settings")
    if given.one:
        sys.stdout.write(json.dumps(measure(given.one[0], int(given.one[1]))))
        return
    from products.files.formats import FORMATS

    print(
        "| products | format | rows a second | of COPY | first byte (ms) | file (MB) | peak of memory (MiB) |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number in given.sizes:
        copied = row(COPY, number, given.rounds)
        for form in (COPY, *FORMATS):
            found = copied if form == COPY else row(form, number, given.rounds)
            print(
                f"| {number:,} | {form} | {number / found['seconds']:,.0f} "
                f"| {copied['seconds'] / found['seconds']:.2f} | {found['first_ms']:.0f} "
                f"| {found['bytes'] / 1e6:.1f} | {found['peak_mib']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
