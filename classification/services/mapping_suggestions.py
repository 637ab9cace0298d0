"""Suggestions where categories may have gone, by what the target's classifier reads in their names.

A person decides about each: a classifier's confidence is measured on products, not on names of categories.
"""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet

from classification import engine
from classification.services import engines
from nexus.api.errors import NotFound, invalid
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, chunks_of, register
from nexus.jobs.models import Chunk, Job
from products.models import PATH_SEPARATOR, Category, CategoryMapping, Taxonomy
from products.services import mapping

KIND = "suggest_mappings"
PERMISSION = "products.add_categorymapping"
CHUNK_SIZE = 500


def suggest(source: Taxonomy, target: Taxonomy, *, user_id: int | None) -> Job:
    """Accept a job that reads every category without a step, of those that products are put into.

    Raises Problem (400) for one taxonomy, and Conflict for a target that is empty.
    """
    if source.pk == target.pk:
        raise invalid("/target", "same_taxonomy", "A taxonomy is mapped to another, or to another version.")
    engines.active(target)
    return jobs.create_job(
        kind=KIND,
        purpose=f"Suggestions of steps from {source} to {target}",
        parameters={"source": source.pk, "target": target.pk},
        user_id=user_id,
    )


def _unmapped(source: int, target: int) -> QuerySet[Category]:
    steps = CategoryMapping.objects.filter(source=OuterRef("pk"), target_taxonomy=target)
    return Category.objects.filter(~Exists(steps), taxonomy=source, is_leaf=True).order_by("id")


def _prepare(job: Job) -> Iterator[Chunk]:
    source, target = _pair(job)
    ids = _unmapped(source.pk, target.pk).values_list("id", flat=True).iterator(chunk_size=10_000)
    return chunks_of(job, ids, CHUNK_SIZE, "categories")


def _work(job: Job, chunk: Chunk) -> Outcome:
    source, target = _pair(job)
    categories = list(_unmapped(source.pk, target.pk).filter(pk__in=chunk.input["categories"]))
    texts = [_text_of(category) for category in categories]
    readings = engines.active(target).engine.predict(texts, top_k=1)
    CategoryMapping.objects.bulk_create(
        [
            CategoryMapping(
                source_taxonomy=source,
                target_taxonomy=target,
                source=category,
                target_id=reading.category_id,
                kind=CategoryMapping.Kind.SAME,
                basis=CategoryMapping.Basis.CLASSIFIER,
                confidence=round(reading.confidence, 4),
            )
            for category, reading in zip(categories, readings, strict=True)
            if reading.category_id
        ],
        ignore_conflicts=True,
    )
    return Outcome(succeeded=chunk.size, failed=0)


def _text_of(category: Category) -> engine.Text:
    """A category as if it were a product: its name, and what it stands below as the description."""
    above = category.path.split(PATH_SEPARATOR)[:-1]
    return engine.Text(category.name, " ".join([*reversed(above), *category.keywords]))


def _pair(job: Job) -> tuple[Taxonomy, Taxonomy]:
    found = Taxonomy.objects.in_bulk([job.parameters["source"], job.parameters["target"]])
    if len(found) < 2:
        raise NotFound("not_found", "One of the taxonomies has been deleted.")
    return found[job.parameters["source"]], found[job.parameters["target"]]


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=chunk.size)


def _finish(job: Job) -> None:
    """Work out the kinds of the steps, and say how many suggestions there are now."""
    found = Taxonomy.objects.in_bulk([job.parameters["source"], job.parameters["target"]])
    if len(found) < 2:
        return
    source, target = found[job.parameters["source"]], found[job.parameters["target"]]
    mapping.settle(source, target)
    suggested = CategoryMapping.objects.filter(
        source_taxonomy=source, target_taxonomy=target, basis=CategoryMapping.Basis.CLASSIFIER
    )
    job.result = {"suggestions": suggested.count()}
    job.save(update_fields=["result"])


register(
    JobKind(name=KIND, prepare=_prepare, work=_work, give_up=_give_up, finish=_finish, permission=PERMISSION)
)
