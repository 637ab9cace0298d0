"""Files of very many products, written by workers a part at a time."""

import zlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import count, islice
from typing import Any

from django.utils import timezone

from nexus.api.errors import Conflict
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, register
from nexus.jobs.models import Chunk, Job
from products import counting
from products.files.formats import FORMATS
from products.files.rows import batches
from products.models import ExportPart, Product
from products.querysets import ProductQuerySet
from products.services import exports

KIND = "export_products"
# More than this is no work for a request.
MAX_STREAMED = 100_000
CHUNK_SIZE = 5_000
# Files are large, and can be made again.
KEPT = timedelta(days=7)
COMPRESSION = 1


def is_too_large(queryset: ProductQuerySet) -> bool:
    """Whether products are so many that a job has to write them."""
    return counting.count(queryset) > MAX_STREAMED


def start(values: Mapping[str, Any], form: str, *, user_id: int | None) -> Job:
    """Accept a job that writes the products of a list filter; the one that does so already if there is one.

    Raises Problem (400) as `exports.chosen` and `exports.check` do.
    """
    queryset = exports.chosen(values, pointer="/query")
    exports.check(queryset, form, pointer="/query/format")
    parameters = {"format": form, "filter": dict(values)}
    under_way = Job.objects.filter(
        kind=KIND, created_by=user_id, status__in=Job.ACTIVE, parameters=parameters
    )
    return under_way.filter(cancel_requested_at=None).first() or jobs.create_job(
        kind=KIND, parameters=parameters, user_id=user_id, total=counting.count(queryset)
    )


def file_of(job: Job) -> Iterator[bytes]:
    """The bytes of the file that a job has written. Raises Conflict when there is none, not yet or not any more."""
    if job.status != Job.Status.SUCCEEDED:
        raise Conflict("file_not_ready", f"The job is {job.status}: its file is not whole.")
    parts = ExportPart.objects.filter(job=job)
    if parts.count() < job.chunks.count():
        raise Conflict("file_expired", f"Files are kept for {KEPT.days} days. Export the products again.")
    return FORMATS[job.parameters["format"]].whole(_contents(job))


def _contents(job: Job) -> Iterator[bytes]:
    """The parts of a file, each read when it is asked for, so that no transaction waits for a slow client."""
    for position in range(job.chunks.count()):
        yield zlib.decompress(ExportPart.objects.get(job=job, position=position).content)


def _prepare(job: Job) -> Iterator[Chunk]:
    """Chunks of the products that the filter lets through: which they are is settled here."""
    ExportPart.objects.filter(job__finished_at__lt=timezone.now() - KEPT).delete()
    queryset = exports.chosen(job.parameters["filter"], pointer="/filter")
    ids = queryset.values_list("pk", flat=True).iterator(chunk_size=CHUNK_SIZE)
    for position in count():
        if not (some := list(islice(ids, CHUNK_SIZE))):
            return
        yield Chunk(
            job=job, position=position, first=position * CHUNK_SIZE, size=len(some), input={"ids": some}
        )


def _work(job: Job, chunk: Chunk) -> Outcome:
    """Write a part. Products that were deleted since are not in it; whoever is second keeps the first's part."""
    part = FORMATS[job.parameters["format"]].part
    queryset = Product.objects.filter(pk__in=chunk.input["ids"])
    content = b"".join(map(part, batches(queryset)))
    kept = ExportPart(job=job, position=chunk.position, content=zlib.compress(content, COMPRESSION))
    ExportPart.objects.bulk_create([kept], ignore_conflicts=True)
    return Outcome(succeeded=chunk.size, failed=0)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=chunk.size)


def _finish(job: Job) -> None:
    """Say where the file is; of a job that is not done to its end there is none."""
    if job.status == Job.Status.SUCCEEDED:
        job.result = {"file": f"/api/v1/products/export/{job.pk}"}
        job.save(update_fields=["result"])


def register_kind() -> None:
    """Make the kind known, so that workers can do such jobs."""
    register(JobKind(name=KIND, prepare=_prepare, work=_work, give_up=_give_up, finish=_finish))
