"""Preparing an import: its file is read some chunks of rows a step, which are kept.

A chunk, and so a step, is bounded by bytes as well as by rows: of normal rows a step has 50,000, of very long ones few.

A step goes on at the place where the one before it ended: in a text that is found at once, in one that is compressed by
unpacking all before it once more. There a step has at least a quarter of the chunks before it, so that a file is
unpacked about five times in all, however large it is. The rows of a workbook can be found by nothing but reading those
before them, so that a workbook is one step.

Which of several rows of one SKU counts is settled here, since here the rows come in their order: the first does, and
the chunks of the others name it, whichever of them is done first. The SKUs read so far are a table (`ImportKey`), so
that the steps may be done by any worker and a step that dies leaves none. It is emptied when the file is read to
its end or the job has ended otherwise; a job that is taken up again notes the SKUs of its kept rows once more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from django.db import connection

from nexus.api.parsers import NULL_CHARACTER
from nexus.jobs import files
from nexus.jobs.cancellation import raise_if_cancelled
from nexus.jobs.kinds import Step
from nexus.jobs.models import Chunk, File, Job
from products.files import reading
from products.files.layouts import Layout, Place, Row
from products.models import ImportKey
from products.services.imports import kept
from products.services.imports.options import Plan
from products.services.imports.rules import Rules, rules_of

CHUNKS_OF_STEP = 25
MAX_SKU = 64
# No row has this SKU: it says that those of the rows before are noted, also where these have none.
NOTED = ""


def next_step(job: Job, after: Any) -> Step:
    """The chunks of the next rows of the file, which are kept. `after` is the place after the row before them.

    Raises Problem where the file turns out to be broken.
    """
    plan = Plan.from_json(job.parameters)
    rules = rules_of(plan)
    if not ImportKey.objects.filter(job=job, sku=NOTED).exists():
        if after:
            _note_again(job, rules)
        ImportKey.objects.bulk_create([ImportKey(job=job, sku=NOTED, row=0)], ignore_conflicts=True)
    done = job.chunks.count()
    limit = _chunks_of_step(plan.layout, done)
    file = File.objects.get(job=job, role=File.Role.INPUT)
    with (
        files.opened(file) as content,
        reading.opened(content, plan.layout, Place(**after) if after else None) as rows,
    ):
        chunks = list(_kept_chunks(job, islice(kept.chunks_of(rows), limit), done, rules))
        if len(chunks) == limit:
            return Step(chunks, asdict(rows.place()))
    forget_keys(job)
    return Step(chunks, None)


def _chunks_of_step(layout: Layout, done: int) -> int | None:
    """How many chunks of rows the next step reads, after those that are read already; None for all."""
    if layout.format == "xlsx":
        return None
    return max(CHUNKS_OF_STEP, done // 4) if layout.compressed else CHUNKS_OF_STEP


def _kept_chunks(job: Job, parts: Iterable[list[kept.Line]], first: int, rules: Rules) -> Iterator[Chunk]:
    file = kept.file_of(job)
    for position, lines in enumerate(parts, start=first):
        kept.keep(file, position, lines)
        duplicates = _duplicates(job, [row for row, _ in lines], rules)
        yield Chunk(job=job, size=len(lines), input={"duplicates": duplicates})


_NOTE = """
INSERT INTO products_importkey (job_id, sku, row) SELECT %s, * FROM unnest(%s::varchar[], %s::bigint[])
ON CONFLICT DO NOTHING
"""


def _duplicates(job: Job, rows: Sequence[Row], rules: Rules) -> dict[int, int]:
    """Note the SKUs of the next rows of a file; gives those rows whose SKU was there before, and the row where."""
    keys = {row.number: sku for row in rows if (sku := _key(row, rules))}
    first: dict[str, int] = {}
    for number, sku in keys.items():
        first.setdefault(sku, number)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [job.pk, list(first), list(first.values())])
        is_new = cursor.rowcount == len(first)
    if not is_new:
        known = ImportKey.objects.filter(job=job, sku__in=list(first))
        first |= dict(known.values_list("sku", "row"))
    return {number: first[sku] for number, sku in keys.items() if first[sku] != number}


def _key(row: Row, rules: Rules) -> str:
    """The SKU of a row; empty for one that is refused without a look at the others."""
    sku = "" if row.fault else rules.sku(row)
    return "" if len(sku) > MAX_SKU or NULL_CHARACTER in sku else sku


def _note_again(job: Job, rules: Rules) -> None:
    for position in range(job.chunks.count()):
        _duplicates(job, kept.rows_of(job, position), rules)
        raise_if_cancelled()


def forget_keys(job: Job) -> None:
    """Take away the SKUs that were noted for a job."""
    ImportKey.objects.filter(job=job).delete()
