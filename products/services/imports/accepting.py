"""Accepting a file: looked at, mapped, kept, and made a job; or only looked at."""

from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any

from django.db import transaction

from nexus.api.errors import Forbidden, NotFound, invalid
from nexus.jobs import files
from nexus.jobs import services as jobs
from nexus.jobs.models import File, Job
from products.files import mapping, reading
from products.files.layouts import Given
from products.models import ImportProfile, Taxonomy
from products.services.imports.options import CREATE, TO_ATTRIBUTES, Options, Plan, permissions_for
from products.services.imports.work import KIND

READ_AT_ONCE = 2**20
MAX_NAME = 200


def accept(file: IO[bytes], name: str, options: Options, *, user: Any) -> Job:
    """Keep a file and make a job of it. `user` is None for commands, which may do everything.

    Raises Problem: 400 for a file or a mapping that cannot be used, 403 for a user who may not.
    """
    plan, first = preview(file, options, user=user)
    with transaction.atomic():
        job = _create(plan, name, _total(file, plan, first), user)
        files.save(
            job,
            _parts(file),
            name=name[-MAX_NAME:],
            media_type="application/octet-stream",
            role=File.Role.INPUT,
        )
        _save_profile(plan, options)
    return _as_stored(job)


def again(earlier: Job, options: Options, *, user: Any) -> Job:
    """Make another job of the file of an earlier one, such as of a dry run. Raises as `accept` does."""
    kept = _file_of(earlier)
    with files.opened(kept) as content:
        plan, first = preview(content, options, user=user)
        total = _total(content, plan, first)
    with transaction.atomic():
        job = _create(plan, kept.name, total, user)
        files.copy(kept, job)
        _save_profile(plan, options)
    return _as_stored(job)


def _as_stored(job: Job) -> Job:
    """A job with its JSON as PostgreSQL gives it back, so that the next read answers the same bytes."""
    job.refresh_from_db()
    return job


def preview_again(earlier: Job, options: Options, *, user: Any) -> tuple[Plan, reading.Beginning]:
    """What `preview` says of the file of an earlier job."""
    with files.opened(_file_of(earlier)) as content:
        return preview(content, options, user=user)


def _file_of(job: Job) -> File:
    kept = File.objects.filter(job=job, role=File.Role.INPUT).first()
    if kept is None:
        raise NotFound("file_not_found", "The file of that job is not kept any more.")
    return kept


def preview(file: IO[bytes], options: Options, *, user: Any) -> tuple[Plan, reading.Beginning]:
    """How a file would be imported, and its first rows. Raises as `accept` does, but for the 403."""
    _check_may(options.mode, user)
    options = _with_profile(options)
    given = Given(options.delimiter or None, options.encoding or None, options.header)
    layout, first = reading.examine(file, given, mapping.known)
    # Of JSON lines the first rows may lack what later ones have, so that all known names are mapped.
    columns = [*layout.columns, *(mapping.TARGETS if layout.format == "jsonl" else ())]
    guessed = mapping.guess(dict.fromkeys(columns), unmapped_to_attributes=options.unmapped == TO_ATTRIBUTES)
    mapped = _mapped(guessed, options, columns)
    mapping.check_sufficient(mapped, needs_name=options.mode == CREATE)
    plan = Plan(
        mode=options.mode,
        dry_run=options.dry_run,
        layout=layout,
        mapping=mapped,
        taxonomy=_taxonomy(options.taxonomy),
    )
    return plan, first


def _mapped(guessed: dict[str, str], options: Options, columns: list[str]) -> dict[str, str]:
    """What is guessed, with what the user says in its place; a target that the user gives away is guessed no more."""
    given = dict(options.mapping)
    if options.profile:
        # Of the columns of a profile this file may lack some.
        given = {column: target for column, target in given.items() if column in columns}
    wanted = set(given.values())
    kept = {
        column: target for column, target in guessed.items() if column not in given and target not in wanted
    }
    return mapping.checked(kept | given, columns)


def _check_may(mode: str, user: Any) -> None:
    if user is not None and not user.has_perms(permissions_for(mode)):
        raise Forbidden


def _with_profile(options: Options) -> Options:
    if not options.profile:
        return options
    profile = ImportProfile.objects.filter(name=options.profile).first()
    if profile is None:
        raise invalid("/profile", "does_not_exist", f"There is no profile {options.profile!r}.")
    return replace(
        options,
        mapping={**profile.mapping, **options.mapping},
        delimiter=options.delimiter or profile.delimiter or None,
        encoding=options.encoding or profile.encoding or None,
        header=profile.header if options.header is None else options.header,
        taxonomy=options.taxonomy or profile.taxonomy,
    )


def _taxonomy(reference: str) -> str:
    """The taxonomy of categories that name none, with its version; empty when there is no taxonomy at all."""
    found = Taxonomy.objects.meant_by(reference).first()
    if found is None and reference:
        raise invalid("/taxonomy", "does_not_exist", f"There is no taxonomy {reference!r}.")
    return f"{found.code}@{found.version}" if found else ""


def _total(file: IO[bytes], plan: Plan, first: reading.Beginning) -> int:
    """How many rows a file has: exactly where they are few, else about as many; 0 where nothing tells.

    What has more than a few is never taken for few, since small jobs go before others.
    """
    if first.is_whole:
        return len(first.rows)
    estimated = reading.estimate(file, plan.layout)
    return max(estimated, reading.FEW + 1) if estimated else 0


def _create(plan: Plan, name: str, total: int, user: Any) -> Job:
    job = jobs.create_job(
        kind=KIND,
        purpose=f"{'Check' if plan.dry_run else 'Import'} of {name}",
        parameters=plan.as_json(),
        total=total,
        user_id=None if user is None else user.pk,
    )
    shown = plan.as_json()
    job.result = {key: shown[key] for key in ("mode", "dry_run", "layout", "mapping", "taxonomy")}
    job.save(update_fields=["result"])
    return job


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(READ_AT_ONCE):
        yield part


def _save_profile(plan: Plan, options: Options) -> None:
    if options.save_profile:
        ImportProfile.objects.update_or_create(
            name=options.save_profile,
            defaults={
                "mapping": plan.mapping,
                "delimiter": plan.layout.delimiter,
                "encoding": plan.layout.encoding,
                "header": plan.layout.header,
                "taxonomy": options.taxonomy,
            },
        )
