"""Carrying products from one version of a taxonomy to another along the mappings, and taking that back.

A job does it, a chunk of products at a time. Each product keeps who chose its category; what leads to no category, or
to several, stays where it is and is told. Rooms above this one carry along what they have: see `register`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.dispatch import Signal
from django.utils import timezone

from nexus.api.errors import NotFound, invalid
from nexus.jobs import kinds
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, chunks_of
from nexus.jobs.models import Chunk, Job
from products.models import CarriedProduct, Category, Product, Taxonomy
from products.services import mapping

KIND, BACK = "carry_over", "carry_back"
PERMISSION = "products.change_taxonomy"
CHUNK_SIZE = 2_000
SHOWN_CATEGORIES = 1_000

# Sent within the transaction that ends a carrying over; carries `source`, `target` and `job`.
carried = Signal()

_CARRY = """
WITH goal AS (SELECT unnest(%(sources)s::bigint[]) AS source, unnest(%(targets)s::bigint[]) AS target),
moved AS (
    UPDATE products_product product SET category_id = goal.target, updated_at = %(now)s
    FROM goal WHERE product.category_id = goal.source AND product.id = ANY(%(ids)s)
    RETURNING product.id, goal.source, goal.target
)
INSERT INTO products_carriedproduct (job_id, product, source, target)
SELECT %(job)s, id, source, target FROM moved
ON CONFLICT (job_id, product) DO UPDATE SET source = excluded.source, target = excluded.target
"""

_CARRY_BACK = """
WITH back AS (
    UPDATE products_product product SET category_id = carried.source, updated_at = %(now)s
    FROM products_carriedproduct carried JOIN products_category ON products_category.id = carried.source
    WHERE carried.job_id = %(job)s AND product.id = carried.product AND product.category_id = carried.target
        AND product.id = ANY(%(ids)s)
    RETURNING product.id
)
DELETE FROM products_carriedproduct WHERE job_id = %(job)s AND product IN (SELECT id FROM back)
"""


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where, and the chain of mapped pairs between."""

    source: Taxonomy
    target: Taxonomy
    steps: list[mapping.Pair]

    def goals(self, categories: Iterable[int]) -> dict[int, mapping.Goal]:
        """Where some categories of the source lead."""
        return mapping.goals(self.steps, set(categories))


@dataclass(frozen=True, slots=True)
class Carrier:
    """What a room above carries along: `count` says how many there are, `carry` does it and reports.

    `carry(way, user_id)` runs in a transaction and may run again, which must change nothing more. Its report has
    `carried` and `left` as numbers, and `details` of what was left.
    """

    name: str
    count: Callable[[Taxonomy], int]
    carry: Callable[[Way, int | None], dict[str, Any]]


_carriers: dict[str, Carrier] = {}


def register(carrier: Carrier) -> None:
    """Have something carried along from now on."""
    _carriers[carrier.name] = carrier


def way_between(source: Taxonomy, target: Taxonomy) -> Way:
    """The chain of mappings to carry along. Raises NotFound when there is none."""
    return Way(source, target, mapping.way(source, target))


def preview(source: Taxonomy, target: Taxonomy) -> dict[str, Any]:
    """How many products would be carried over, and the categories whose products would not, with the reason.

    Raises NotFound when no mapping leads there.
    """
    way = way_between(source, target)
    in_source = Product.objects.filter(category__taxonomy=source).order_by()
    counts = dict(in_source.values_list("category").annotate(Count("id")))
    goals = way.goals(counts)
    left = {pk: goal.reason for pk, goal in goals.items() if goal.target is None}
    shown = sorted(left, key=lambda pk: -counts[pk])[:SHOWN_CATEGORIES]
    categories = Category.objects.in_bulk(shown)
    names = {one.pk: str(one) for one in Taxonomy.objects.filter(pk__in={pk for p in way.steps for pk in p})}
    return {
        "steps": [{"source": names[one], "target": names[other]} for one, other in way.steps],
        "products": sum(counts.values()),
        "carried": sum(counts[pk] for pk, goal in goals.items() if goal.target is not None),
        "left": sum(counts[pk] for pk in left),
        "left_categories": len(left),
        "categories": [
            {
                "id": pk,
                "code": categories[pk].code,
                "path": categories[pk].path,
                "products": counts[pk],
                "reason": left[pk],
            }
            for pk in shown
        ],
    }


def carry_over(source: Taxonomy, target: Taxonomy, *, user_id: int | None) -> Job:
    """Accept a job that carries everything over. Raises NotFound when no mapping leads there."""
    way_between(source, target)
    return jobs.create_job(
        kind=KIND,
        purpose=f"Carrying of products from {source} to {target}",
        parameters={"source": source.pk, "target": target.pk},
        user_id=user_id,
    )


def carry_back(target: Taxonomy, job_id: Any, *, user_id: int | None) -> Job:
    """Accept a job that gives the products that a job has carried their categories back.

    Raises Problem (400) when there was no such job, and while it is at work.
    """
    job = Job.objects.filter(pk=job_id, kind=KIND, parameters__target=target.pk).first()
    if job is None or not job.is_finished:
        raise invalid("/job", "does_not_exist", "There is no job that has carried products to this taxonomy.")
    return jobs.create_job(
        kind=BACK,
        purpose=f"Return of the products that the job {job.pk} carried to {target}",
        parameters={"job": str(job.pk)},
        user_id=user_id,
    )


def _way_of(job: Job) -> Way:
    found = Taxonomy.objects.in_bulk([job.parameters["source"], job.parameters["target"]])
    if len(found) < 2:
        raise NotFound("not_found", "One of the taxonomies has been deleted.")
    return way_between(found[job.parameters["source"]], found[job.parameters["target"]])


def _prepare(job: Job) -> Iterator[Chunk]:
    """Chunks of products, and after them one for each carrier that has something."""
    way = _way_of(job)
    in_source = Product.objects.filter(category__taxonomy=way.source).order_by("id")
    ids = in_source.values_list("id", flat=True).iterator(chunk_size=10_000)
    chunks = chunks_of(job, ids, CHUNK_SIZE, "products")
    position, first = 0, 0
    for chunk in chunks:
        position, first = chunk.position + 1, chunk.first + chunk.size
        yield chunk
    for carrier in _carriers.values():
        if size := carrier.count(way.source):
            yield Chunk(job=job, position=position, first=first, size=size, input={"carrier": carrier.name})
            position, first = position + 1, first + size


def _work(job: Job, chunk: Chunk) -> Outcome:
    way = _way_of(job)
    if "carrier" in chunk.input:
        return _carry_along(job, chunk, way)
    ids = chunk.input["products"]
    with transaction.atomic():
        rows = Product.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        categories = {pk for pk in rows.values_list("category_id", flat=True) if pk is not None}
        goals = {pk: goal.target for pk, goal in way.goals(categories).items() if goal.target is not None}
        with connection.cursor() as cursor:
            cursor.execute(
                _CARRY,
                {
                    "sources": list(goals),
                    "targets": list(goals.values()),
                    "ids": ids,
                    "job": job.pk,
                    "now": timezone.now(),
                },
            )
        left = Product.objects.filter(pk__in=ids, category__taxonomy=way.source).count()
    return Outcome(succeeded=chunk.size - left, failed=left)


def _carry_along(job: Job, chunk: Chunk, way: Way) -> Outcome:
    """Let a carrier do its part; its report is kept with the chunk."""
    with transaction.atomic():
        report = _carriers[chunk.input["carrier"]].carry(way, job.created_by_id)
        Chunk.objects.filter(pk=chunk.pk).update(input={**chunk.input, "report": report})
    failed = min(report["left"], chunk.size)
    return Outcome(succeeded=chunk.size - failed, failed=failed)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=chunk.size)


def _finish(job: Job) -> None:
    """Report what was carried and what was not, and tell who waits for it."""
    found = Taxonomy.objects.in_bulk([job.parameters["source"], job.parameters["target"]])
    if job.status not in {Job.Status.SUCCEEDED, Job.Status.PARTIALLY_FAILED} or len(found) < 2:
        return
    reports = job.chunks.filter(input__has_key="report").values_list("input", flat=True)
    source, target = found[job.parameters["source"]], found[job.parameters["target"]]
    job.result = {
        "products": CarriedProduct.objects.filter(job=job).count(),
        "left": {"products": Product.objects.filter(category__taxonomy=source).count()},
        **{one["carrier"]: one["report"] for one in reports},
    }
    for _, told in carried.send(sender=Job, source=source, target=target, job=job):
        job.result |= told or {}
    job.save(update_fields=["result"])


def _prepare_back(job: Job) -> Iterator[Chunk]:
    rows = CarriedProduct.objects.filter(job=job.parameters["job"]).order_by("product")
    ids = rows.values_list("product", flat=True).iterator(chunk_size=10_000)
    return chunks_of(job, ids, CHUNK_SIZE, "products")


def _work_back(job: Job, chunk: Chunk) -> Outcome:
    """What somebody has given another category meanwhile keeps it, and is counted as failed."""
    ids, carrying = chunk.input["products"], job.parameters["job"]
    with transaction.atomic():
        list(
            Product.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk")
        )
        with connection.cursor() as cursor:
            cursor.execute(_CARRY_BACK, {"job": carrying, "ids": ids, "now": timezone.now()})
        left = CarriedProduct.objects.filter(job=carrying, product__in=ids).count()
    return Outcome(succeeded=chunk.size - left, failed=left)


kinds.register(
    JobKind(name=KIND, prepare=_prepare, work=_work, give_up=_give_up, finish=_finish, permission=PERMISSION)
)
kinds.register(
    JobKind(name=BACK, prepare=_prepare_back, work=_work_back, give_up=_give_up, permission=PERMISSION)
)
