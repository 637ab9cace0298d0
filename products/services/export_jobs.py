"""Files of very many products, written by workers a part at a time."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from isal import isal_zlib

from nexus.api.errors import Conflict
from nexus.jobs import files
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, Step, register
from nexus.jobs.models import Chunk, File, Job
from nexus.jobs.reasons import filter_as_text
from products import counting
from products.files.formats import FORMATS
from products.files.rows import batches
from products.models import Product
from products.querysets import ProductQuerySet
from products.services import exports

KIND = "export_products"
# More than this is no work for a request.
MAX_STREAMED = 100_000
CHUNK_SIZE = 5_000
IDS_A_STEP = 100_000
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
        kind=KIND,
        purpose=f"Export of {filter_as_text(values)} as {form}",
        parameters=parameters,
        user_id=user_id,
        total=counting.count(queryset),
    )


def file_of(job: Job) -> Iterator[bytes]:
    """The bytes of the file that a job has written. Raises Conflict when there is none, not yet or not any more."""
    if job.status != Job.Status.SUCCEEDED:
        raise Conflict("file_not_ready", f"The job is {job.status}: its file is not whole.")
    if _whole_parts(job).count() < job.chunks.count():
        raise Conflict("file_expired", f"Files are kept for {KEPT.days} days. Export the products again.")
    # A part whose products are all deleted by now is empty, which elsewhere means the end.
    return FORMATS[job.parameters["format"]].whole(filter(None, _parts(job)))


def _parts(job: Job) -> Iterator[bytes]:
    """The parts of a file, each read when it is asked for, so that no transaction waits for a slow client."""
    for position in range(job.chunks.count()):
        part = job.files.get(name=_name(position))
        yield isal_zlib.decompress(b"".join(files.stream(part)))


def _whole_parts(job: Job) -> QuerySet[File]:
    return job.files.exclude(sha256="")


def _name(position: int) -> str:
    return f"part-{position}"


def _next_step(job: Job, after: Any) -> Step:
    """Chunks of the products that the filter lets through: which they are is settled here."""
    if after is None:
        _forget_old_files()
    found = exports.chosen(job.parameters["filter"], pointer="/filter").filter(pk__gt=after or 0)
    ids = list(found.values_list("pk", flat=True)[:IDS_A_STEP])
    parts = [ids[start : start + CHUNK_SIZE] for start in range(0, len(ids), CHUNK_SIZE)]
    chunks = [Chunk(job=job, size=len(part), input={"ids": part}) for part in parts]
    return Step(chunks, ids[-1] if len(ids) == IDS_A_STEP else None)


def _forget_old_files() -> None:
    File.objects.filter(job__kind=KIND, job__finished_at__lt=timezone.now() - KEPT).delete()


def _work(job: Job, chunk: Chunk) -> Outcome:
    """Write a part, unless it is there; products that were deleted since are not in it."""
    name = _name(chunk.position)
    if not _whole_parts(job).filter(name=name).exists():
        part = FORMATS[job.parameters["format"]].part
        queryset = Product.objects.filter(pk__in=chunk.input["ids"])
        content = isal_zlib.compress(b"".join(map(part, batches(queryset))), COMPRESSION)
        files.save(job, [content], name=name, media_type="application/zlib", role=File.Role.WORK)
    return Outcome(succeeded=chunk.size, failed=0)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=chunk.size)


def _finish(job: Job) -> None:
    """Say where the file is; of a job that is not done to its end there is none."""
    if job.status == Job.Status.SUCCEEDED:
        job.result = {"file": f"/api/v1/products/export/{job.pk}/file"}
        job.save(update_fields=["result"])


def register_kind() -> None:
    """Make the kind known, so that workers can do such jobs."""
    register(JobKind(name=KIND, next_step=_next_step, work=_work, give_up=_give_up, finish=_finish))
