"""Importing a published taxonomy from a file: the one service behind the API, the command and the admin.

A file is read, and all that is wrong with it told, while somebody waits: that takes seconds at most. What is right is
loaded in one transaction, at once or, when it is large, by a job whose only chunk holds the rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.validators import slug_re
from django.db import transaction

from nexus.api.errors import Problem, invalid, invalid_request, pointer_of
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, register
from nexus.jobs.models import Chunk, Job, LogLine
from products.models import Taxonomy
from products.services import taxonomies
from products.services.loading import Changes, changes_by, load_rows
from products.services.translating import is_translation, translated
from products.taxonomy_files import Format, Issue, Reading, UnreadableFileError, read
from products.taxonomy_files.reading import CategoryRow

KIND = "import_taxonomy"
PERMISSION = "products.add_taxonomy"
# From here on a job does it: the caller would wait for more than some seconds.
LARGE = 20_000
SHOWN_ISSUES = 1_000
NAMES = {
    Format.GOOGLE: "Google product taxonomy",
    Format.SHOPIFY: "Shopify product taxonomy",
    Format.UNSPSC: "UNSPSC",
    Format.ETIM: "ETIM",
}
# ``taxonomy-with-ids.de-DE.txt``
_LANGUAGE = re.compile(r"[._-](?P<tag>[a-z]{2}(-[A-Z]{2})?)\.\w+$")
# ``ETIM-10.0-ALL-SECTORS-CSV-METRIC-EI-2024-12-05.zip``
_ETIM_VERSION = re.compile(r"ETIM-(\d+(\.\d+)*)-")
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller says about a file; whatever is empty is taken from the file or from its format."""

    format: str = ""
    code: str = ""
    version: str = ""
    name: str = ""
    language: str = ""


@dataclass(slots=True)
class Import:
    """A file that was read, and the version of a taxonomy that it is for."""

    format: Format
    code: str
    version: str
    name: str
    language: str
    reading: Reading

    def taxonomy(self) -> Taxonomy | None:
        """The version that it is for, when there is one already."""
        return Taxonomy.objects.filter(code=self.code, version=self.version).first()

    def as_document(self) -> dict[str, Any]:
        """All but the rows, as the parameters of a job."""
        return {name: str(getattr(self, name)) for name in ("format", "code", "version", "name", "language")}


def open_file(content: bytes, filename: str, wanted: Wanted) -> Import:
    """Read a file. Raises Problem (400) when nothing of it can be read, or it is not said which taxonomy it is."""
    try:
        form, reading = read(content, Format(wanted.format) if wanted.format else None)
    except UnreadableFileError as error:
        raise invalid("/file", error.code, str(error)) from None
    code, version = wanted.code or _code_of(form), wanted.version or reading.version or _version_of(filename)
    _check_named(code, version)
    language = wanted.language or _language_of(filename)
    name = wanted.name or NAMES.get(form, code)
    return Import(form, code, version, name, language, reading)


def _code_of(form: Format) -> str:
    """Published taxonomies have a name of their own, others have none."""
    return form.value if form in NAMES else ""


def _check_named(code: str, version: str) -> None:
    errors = [
        {"pointer": f"/{field}", "code": "required", "detail": f"The file does not say its {field}: give it."}
        for field, value in (("code", code), ("version", version))
        if not value
    ]
    if errors:
        raise invalid_request(errors)
    if not slug_re.fullmatch(code):
        raise invalid("/code", "invalid", "A code has letters, digits, hyphens and underscores.")


def _version_of(filename: str) -> str:
    match = _ETIM_VERSION.search(filename)
    return match[1] if match else ""


def _language_of(filename: str) -> str:
    match = _LANGUAGE.search(filename)
    return match["tag"] if match else DEFAULT_LANGUAGE


def preview(opened: Import) -> dict[str, Any]:
    """The report of an import that writes nothing: what it would change, and every mistake."""
    taxonomy = opened.taxonomy()
    if opened.reading.issues:
        return _report(opened, taxonomy, None, dry_run=True)
    if taxonomy is None:
        return _report(opened, None, Changes(len(opened.reading.rows), 0, 0), dry_run=True)
    rows, unknown = _rows_for(taxonomy, opened)
    return _report(opened, taxonomy, changes_by(taxonomy, rows), unknown, dry_run=True)


def run(opened: Import, *, user_id: int | None) -> dict[str, Any] | Job:
    """Import a file: its report, or the job that does it when it is large.

    Raises Problem (400) that names up to 1,000 mistakes; then nothing is written.
    """
    check(opened)
    if len(opened.reading.rows) <= LARGE:
        return load(opened)
    with transaction.atomic():
        rows = [list(_cells(row)) for row in opened.reading.rows]
        job = jobs.create_job(
            kind=KIND,
            purpose=f"Import of {len(rows)} categories into {opened.code} {opened.version}",
            parameters=opened.as_document(),
            user_id=user_id,
        )
        job.total = jobs.save_chunks(
            [Chunk(job=job, position=0, first=0, size=len(rows), input={"rows": rows})]
        )
        job.save(update_fields=["total"])
    return job


def check(opened: Import) -> None:
    """Raise Problem (400) when anything is wrong with a file."""
    issues = opened.reading.issues
    if issues:
        problem = invalid_request([_as_error(issue) for issue in issues[:SHOWN_ISSUES]])
        raise Problem("invalid", f"{len(issues)} mistakes. {problem.detail}", errors=problem.errors)


def _as_error(issue: Issue) -> dict[str, str]:
    return {
        "pointer": pointer_of("file", issue.line, issue.column),
        "code": issue.code,
        "detail": str(issue),
    }


@transaction.atomic
def load(opened: Import) -> dict[str, Any]:
    """Load what was read, in one transaction; the report of it."""
    taxonomy = taxonomies.named_or_new(
        opened.code, opened.version, name=opened.name, language=opened.language
    )
    rows, unknown = _rows_for(taxonomy, opened)
    return _report(opened, taxonomy, load_rows(taxonomy, rows), unknown)


def _rows_for(taxonomy: Taxonomy, opened: Import) -> tuple[Sequence[CategoryRow], list[str]]:
    """The rows to load, and the codes of a translation that the taxonomy does not have."""
    if is_translation(taxonomy, opened.language):
        return translated(taxonomy, opened.reading.rows)
    return opened.reading.rows, []


def _report(
    opened: Import,
    taxonomy: Taxonomy | None,
    changes: Changes | None,
    unknown: Sequence[str] = (),
    *,
    dry_run: bool = False,
) -> dict[str, Any]:
    issues = opened.reading.issues
    translating = taxonomy is not None and is_translation(taxonomy, opened.language)
    absent = 0
    if taxonomy is not None and not translating:
        codes = {row.code for row in opened.reading.rows}
        absent = sum(code not in codes for code in taxonomy.categories.values_list("code", flat=True))
    return {
        "format": opened.format.value,
        "taxonomy": {
            "id": taxonomy.pk if taxonomy else None,
            "code": opened.code,
            "version": opened.version,
        },
        "language": opened.language,
        "is_translation": translating,
        "dry_run": dry_run,
        "categories": len(opened.reading.rows),
        **(asdict(changes) if changes else {"added": 0, "changed": 0, "unchanged": 0}),
        "absent": absent,
        "unknown_codes": list(unknown[:SHOWN_ISSUES]),
        "error_count": len(issues),
        "errors": [issue.as_document() for issue in issues[:SHOWN_ISSUES]],
    }


def _cells(row: CategoryRow) -> Iterator[Any]:
    yield from (row.code, row.name, row.parent)
    yield from (None if row.keywords is None else list(row.keywords), row.description, row.line)


def _reopened(parameters: Mapping[str, Any], rows: Sequence[Sequence[Any]]) -> Import:
    reading = Reading(rows=[CategoryRow(*cells) for cells in rows])
    return Import(**{**parameters, "format": Format(parameters["format"])}, reading=reading)


def _prepare(job: Job) -> list[Chunk]:
    """Nothing: the chunk was written when the file was read."""
    return []


def _work(job: Job, chunk: Chunk) -> Outcome:
    """Load the rows, report, and let go of them, in one transaction. Of two that do it at once, the first reports."""
    if "rows" in chunk.input:
        parameters = job.parameters
        version = f"{parameters['code']}@{parameters['version']}"
        LogLine.write(job, f"Loading {chunk.size} categories into {version}.")
        with transaction.atomic():
            report = load(_reopened(job.parameters, chunk.input["rows"]))
            locked = Job.objects.select_for_update().get(pk=job.pk)
            if not locked.result:
                locked.result = report
                locked.save(update_fields=["result"])
            Chunk.objects.filter(pk=chunk.pk).update(input={})
        counts = ", ".join(f"{report[name]} {name}" for name in ("added", "changed", "unchanged", "absent"))
        LogLine.write(job, f"Loaded: {counts}.")
    return Outcome(succeeded=chunk.size, failed=0)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=chunk.size)


register(JobKind(name=KIND, prepare=_prepare, work=_work, give_up=_give_up, permission=PERMISSION))
