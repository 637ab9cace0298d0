"""Importing made-up products beside a bare ``COPY`` of the same rows into the same table, in one run.

    python -m nexus.devservices python -m benchmarks.imports 200000 [--workers 2] [--gzip] [--create]
    python -m nexus.devservices python -m benchmarks.imports 10000 --memory [--long 100000]

The table has its indexes, constraints and triggers each time, and begins empty but for the last two: an upsert that
changes every row, and the same file once more, which changes nothing. COPY takes a file with ids of categories and
with times, since it can look neither up; the import takes codes. Validation is on. With ``--gzip`` the import takes the
files compressed, with ``--create`` the upserts are left out. With ``--memory`` the peak memory of a worker is measured
instead, at 10,000, 100,000 and so on up to the number: it prepares the whole file, and does no more than 25 chunks of
it, since one is as large as another. With ``--long`` it begins at 1,000 rows, of which each has so many characters
more, in a column that is passed over. The last line is JSON.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.catalogue import rows

FIELDS = ("sku", "name", "description", "manufacturer", "part_number", "gtin", "attributes", "status")
CHUNKS_OF_MEMORY = 25
TIMES = "2026-01-01T00:00:00Z"


def write_files(folder: Path, number: int, more: int = 0) -> dict[str, Path]:
    """The same products for COPY, for the import, and for an upsert that changes each of them.

    With `more` the rows of the imports are longer by so many characters.
    """
    from products.demo import load_demo_taxonomy

    longer = ["x" * more] if more else []
    codes = dict(load_demo_taxonomy().categories.filter(is_leaf=True).values_list("id", "code"))
    files = {name: folder / f"{name}.csv" for name in ("copy", "create", "upsert")}
    with (
        files["copy"].open("w", newline="") as copied,
        files["create"].open("w", newline="") as created,
        files["upsert"].open("w", newline="") as upserted,
    ):
        bare, first, second = csv.writer(copied), csv.writer(created), csv.writer(upserted)
        for writer in (first, second):
            writer.writerow([*FIELDS, "category_code", *(["remarks"] if more else [])])
        for row in rows(number, list(codes)):
            attributes = json.dumps(row["attributes"])
            values = [attributes if name == "attributes" else row[name] for name in FIELDS]
            code = codes.get(row["category_id"], "")
            bare.writerow([*values, row["category_id"], row["category_source"], TIMES, TIMES])
            first.writerow([*values, code, *longer])
            values[1] += " II"
            second.writerow([*values, code, *longer])
    return files


def bare_copy(file: Path) -> float:
    """Seconds of a COPY, with its commit."""
    from django.db import connection, transaction

    columns = ", ".join([*FIELDS, "category_id", "category_source", "created_at", "updated_at"])
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor, file.open() as lines:
        cursor.copy_expert(f"COPY products_product ({columns}) FROM STDIN (FORMAT csv)", lines)
    return time.perf_counter() - started


def imported(file: Path, mode: str, workers: int, chunks: int = 0) -> tuple[float, dict[str, Any], int]:
    """Seconds from the acceptance of a file to the end of its job, its counts, and the peak memory of a worker.

    With `chunks` a worker stops after that many.
    """
    from products.services import imports

    command = [sys.executable, "-m", "benchmarks.imports", "--work", "--chunks", str(chunks)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **pipes) for _ in range(workers)]
    for process in running:
        assert process.stdout
        process.stdout.readline()
    started = time.perf_counter()
    with file.open("rb") as content:
        job = imports.accept(content, file.name, imports.Options(mode=mode), user=None)
    peaks = [int(out) for out in _told(running, str(job.pk))]
    seconds = time.perf_counter() - started
    job.refresh_from_db()
    if job.status != "succeeded" and not chunks:
        raise SystemExit(f"The import {job.status}: {job.error} {job.result}")
    counts = {name: job.result.get(name) for name in ("created", "updated", "unchanged")}
    job.delete()
    return seconds, counts, max(peaks)


def _told(running: list[Any], job_id: str) -> list[str]:
    """What workers say at their end, when they have been told which job to work for."""
    for process in running:
        process.stdin.write(f"{job_id}\n")
        process.stdin.flush()
    return [process.communicate()[0] for process in running]


def work(chunks: int) -> None:
    """Work for a job as a worker does until it has ended, or `chunks` are done; print the peak memory in kilobytes."""
    from nexus.jobs import services
    from nexus.jobs.models import Job

    print("ready", flush=True)
    job = Job.objects.get(pk=sys.stdin.readline().strip())
    while not job.is_finished and not (chunks and job.chunks.filter(status="done").count() >= chunks):
        if not services.work_on(job.pk):
            time.sleep(0.05)
        job.refresh_from_db()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def empty() -> None:
    """Take all products away, and what is known of them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE products_product, products_productevent CASCADE")
        cursor.execute("CHECKPOINT")


def compressed(file: Path) -> Path:
    """A file by gzip."""
    subprocess.run(["gzip", "-1", "--keep", "--force", str(file)], check=True)
    return file.with_name(f"{file.name}.gz")


def speed(folder: Path, number: int, given: argparse.Namespace) -> dict[str, Any]:
    """Rows per second of COPY and of each import."""
    files = write_files(folder, number)
    workers = given.workers
    size = files["create"].stat().st_size / 2**20
    print(f"{number} rows, {size:.0f} MiB, {workers} workers")
    empty()
    copied = number / bare_copy(files["copy"])
    print(f"{'bare COPY':<24}{copied:>10.0f} rows/s")
    empty()
    figures: dict[str, Any] = {"rows": number, "workers": workers, "copy": round(copied)}
    for name, file, mode in (
        ("create", "create", "create"),
        ("upsert, all change", "upsert", "upsert"),
        ("the same file again", "upsert", "upsert"),
    )[: 1 if given.create else 3]:
        content = compressed(files[file]) if given.gzip else files[file]
        seconds, counts, peak = imported(content, mode, workers)
        speed = number / seconds
        print(
            f"{name:<24}{speed:>10.0f} rows/s {speed / copied:>6.2f} of COPY {peak / 1024:>6.0f} MiB {counts}"
        )
        figures[name] = {"rows_per_s": round(speed), "of_copy": round(speed / copied, 3)}
    return figures


def memory(folder: Path, number: int, more: int) -> Iterator[tuple[int, int]]:
    """Rows, and the peak memory in MiB of the one worker that imports them."""
    rows_of_run = 1_000 if more else 10_000
    while rows_of_run <= number:
        empty()
        file = write_files(folder, rows_of_run, more)["create"]
        _, _, peak = imported(file, "upsert", 1, CHUNKS_OF_MEMORY)
        print(f"{rows_of_run:>10} rows {peak / 1024:>6.0f} MiB", flush=True)
        yield rows_of_run, round(peak / 1024)
        rows_of_run *= 10


def main() -> None:
    """Measure, or be the worker of a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--create", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--long", type=int, default=0)
    parser.add_argument("--work", action="store_true", help="be a worker; for the measurement itself")
    parser.add_argument("--chunks", type=int, default=0, help="for the measurement itself")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nexus.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django

    django.setup()
    if arguments.work:
        work(arguments.chunks)
        return
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as name:
        figures = (
            dict(memory(Path(name), arguments.rows, arguments.long))
            if arguments.memory
            else speed(Path(name), arguments.rows, arguments)
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
