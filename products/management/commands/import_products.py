"""``manage.py import_products``: products from a CSV, XLSX or JSON lines file."""

from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from nexus.api.errors import Problem
from nexus.jobs.models import Job
from nexus.jobs.running import run_to_end, text_of
from products.files.delimited import ENCODINGS
from products.files.mapping import TARGETS
from products.models import ImportFault
from products.services import imports
from products.services.imports import Options, reports
from products.services.imports.options import IGNORE, MODES, UNMAPPED, UPSERT

SHOWN_ERRORS = 20


class Command(BaseCommand):
    """Imports in this process, together with whatever workers there are."""

    help = "Import products from CSV, XLSX or JSON lines, each also with gzip. Fails when a row has failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, how it is read, and what is done with its rows."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--mode", choices=MODES, default=UPSERT, help="by SKU (default: upsert)")
        parser.add_argument(
            "--dry-run", action="store_true", help="find every error and change, write nothing"
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help=f"a column of the file; fields are {', '.join(TARGETS)}, and attributes.NAME; may be repeated",
        )
        parser.add_argument("--unmapped", choices=UNMAPPED, default=IGNORE, help="what other columns become")
        parser.add_argument("--profile", default="", help="the name of a kept mapping")
        parser.add_argument("--save-profile", default="", help="keep how this file is read by this name")
        parser.add_argument("--delimiter", help="of CSV; guessed without it")
        parser.add_argument("--encoding", choices=ENCODINGS, help="of CSV; guessed without it")
        parser.add_argument(
            "--header", action=BooleanOptionalAction, help="whether the first row names columns"
        )
        parser.add_argument(
            "--taxonomy", default="", help="of categories that name none: code or code@version"
        )
        parser.add_argument(
            "--user", help="the email address of whom history is to name, and whose roles count"
        )
        parser.add_argument("--failed-rows", type=Path, help="where to write the rows that failed, as CSV")
        parser.add_argument("--changes", type=Path, help="where to write what a dry run would change, as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the job to its end, and report. Raises CommandError when not every row went well."""
        try:
            job = _accept(options)
        except Problem as problem:
            raise CommandError(text_of(problem)) from None
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        self._tell_guesses(job)
        run_to_end(job)
        _write_reports(job, options)
        self._report(job)

    def _tell_guesses(self, job: Job) -> None:
        layout = job.result["layout"]
        of_text = f", {layout['encoding']}, delimiter {layout['delimiter']!r}" if layout["delimiter"] else ""
        self.stderr.write(f"{layout['format']}{of_text}; columns:")
        for column in layout["columns"]:
            self.stderr.write(f"  {column} -> {job.result['mapping'].get(column, '(passed over)')}")

    def _report(self, job: Job) -> None:
        result = job.result
        would = "would be " if result["dry_run"] else ""
        self.stderr.write(
            f"{job.total} rows: {result.get('created', 0)} {would}created, {result.get('updated', 0)} {would}updated, "
            f"{result.get('unchanged', 0)} unchanged, {result.get('failed', 0)} failed. Job {job.pk} is {job.status}."
        )
        for fault in ImportFault.objects.filter(job=job).order_by("row", "id")[:SHOWN_ERRORS]:
            self.stderr.write(f"  row {fault.row}, {fault.column or 'whole row'}: {fault.detail}")
        if result.get("errors", 0) > SHOWN_ERRORS:
            self.stderr.write(f"  and {result['errors'] - SHOWN_ERRORS} more errors")
        if job.status != Job.Status.SUCCEEDED:
            raise CommandError(job.error or "Not every row could be imported; --failed-rows writes those.")


def _accept(options: dict[str, Any]) -> Job:
    user = None
    if options["user"]:
        user = User.objects.filter(email__iexact=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
    wanted = Options(
        mode=options["mode"],
        dry_run=options["dry_run"],
        mapping=_mapping(options["map"]),
        **{
            name: options[name]
            for name in ("unmapped", "profile", "save_profile", "delimiter", "encoding", "header", "taxonomy")
        },
    )
    path: Path = options["file"]
    with path.open("rb") as file:
        return imports.accept(_plain(file), path.name, wanted, user=user)


def _plain(file: BinaryIO) -> BinaryIO:
    """A file that can be read twice. Raises CommandError for a pipe."""
    if not file.seekable():
        raise CommandError("The file is read twice, so it cannot be a pipe.")
    return file


def _mapping(terms: list[str]) -> dict[str, str]:
    mapping = {}
    for term in terms:
        column, separator, target = term.rpartition("=")
        if not separator:
            raise CommandError(f"A mapping is COLUMN=FIELD, not {term!r}.")
        mapping[column] = target
    return mapping


def _write_reports(job: Job, options: dict[str, Any]) -> None:
    for name, report in (("failed_rows", reports.failed_rows), ("changes", reports.changes)):
        if options[name]:
            with options[name].open("wb") as file:
                file.writelines(report(job))
