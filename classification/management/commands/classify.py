"""``manage.py classify``: products of the catalogue, or a file of texts; the answers as CSV."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from classification import exports, uploads
from classification.models import Classification
from classification.services import classify
from nexus.api.errors import Problem
from nexus.jobs.models import Job
from nexus.jobs.running import run_to_end, text_of


class Command(BaseCommand):
    """Classifies in this process, as the workers would, and writes the answers of the job as CSV."""

    help = "Classify the products of a filter, or the rows of a CSV or JSON-lines file, and write the answers as CSV."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The source, the target, and how to classify."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--file", type=Path, help="a CSV or .jsonl file with a name column or product_id")
        source.add_argument(
            "--filter",
            action="append",
            metavar="NAME=VALUE",
            help="a filter of the list of products, such as category__isnull=true; may be repeated",
        )
        source.add_argument("--all", action="store_true", help="all products")
        parser.add_argument("--output", type=Path, help="where to write the CSV (default: standard output)")
        parser.add_argument("--taxonomy", help="code or code@version (default: the oldest current one)")
        parser.add_argument(
            "--top-k", type=int, default=classify.DEFAULT_TOP_K, choices=range(1, 21), metavar="1..20"
        )
        parser.add_argument("--apply", action="store_true", help="write accepted categories to the products")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the job to its end and write its answers."""
        _check_writable(options["output"])
        try:
            job = self._job(options)
        except Problem as problem:
            raise CommandError(text_of(problem)) from None
        run_to_end(job)
        self._write(job, options["output"])
        job.refresh_from_db()
        self.stderr.write(
            f"{job.processed} of {job.total} classified: {self._decisions(job)}. Job {job.pk} is {job.status}."
        )
        if job.status != Job.Status.SUCCEEDED:
            raise CommandError("Not everything could be classified; the error column says why.")

    def _job(self, options: dict[str, Any]) -> Job:
        chosen = classify.options(
            taxonomy=options["taxonomy"], top_k=options["top_k"], apply=options["apply"]
        )
        if options["file"]:
            return classify.classify_items(_items(options["file"]), chosen=chosen, user_id=None)
        return classify.classify_filter(_filter(options["filter"] or []), chosen=chosen, user_id=None)

    def _decisions(self, job: Job) -> str:
        """How many answers there are of each kind, those that failed always among them."""
        answers = Classification.objects.filter(job=job).order_by("decision")
        counts = dict(answers.values_list("decision").annotate(Count("id")))
        counts.setdefault(Classification.Decision.FAILED, 0)
        labels = {name: Classification.Decision(name).label.lower() for name in counts}
        return ", ".join(f"{count} {labels[name]}" for name, count in counts.items())

    def _write(self, job: Job, output: Path | None) -> None:
        if output is None:
            for row in exports.rows(job, "csv"):
                self.stdout.write(row.decode(), ending="")
            return
        with output.open("wb") as file:
            file.writelines(exports.rows(job, "csv"))


def _check_writable(output: Path | None) -> None:
    """Better refused now than when all is classified."""
    try:
        if output:
            output.open("ab").close()
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from None


def _items(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            yield from uploads.items_of(UploadedFile(file, path.name))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None


def _filter(terms: list[str]) -> dict[str, str]:
    values = {}
    for term in terms:
        name, separator, value = term.partition("=")
        if not separator:
            raise CommandError(f"A filter is NAME=VALUE, not {term!r}.")
        values[name] = value
    return values
