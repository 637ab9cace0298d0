"""Shadow runs: a classifier answers beside the active one, nothing is written, and the differences are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from classification import engine
from classification.models import Classifier, Difference, ShadowRun
from classification.services import engines
from nexus.api.errors import Conflict
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, register
from nexus.jobs.models import Chunk, Job
from products.models import Product

KIND = "shadow"
PERMISSION = "classification.change_classifier"
DEFAULT_SIZE, MOST_SIZE = 10_000, 1_000_000
CHUNK_SIZE = 500


def start(classifier: Classifier, *, size: int = DEFAULT_SIZE, user_id: int | None) -> ShadowRun:
    """Accept a run of a classifier beside the active one, over the newest products.

    Raises NotFound for one that is not trained, and Conflict when it is the active one itself.
    """
    engines.load(classifier.pk)
    active = engines.active(classifier.taxonomy)
    if active.id == classifier.pk:
        raise Conflict("is_active", "The classifier is the active one: there is nothing to compare it with.")
    with transaction.atomic():
        parameters = {"classifier": classifier.pk, "with": active.id, "size": size}
        purpose = f"Shadow run of version {classifier.version} for {classifier.taxonomy}"
        job = jobs.create_job(kind=KIND, purpose=purpose, parameters=parameters, user_id=user_id, total=size)
        return ShadowRun.objects.create(job=job, classifier=classifier, against_id=active.id)


@dataclass(frozen=True, slots=True)
class _Side:
    """What one of the two classifiers says about a product."""

    category_id: int | None
    confidence: float
    is_certain: bool


def _prepare(job: Job) -> Iterator[Chunk]:
    """Chunks of products: which these are is settled here, whatever is added later."""
    newest = Product.objects.order_by("-id").values_list("id", flat=True)
    ids = list(newest[: job.parameters["size"]])
    for position, first in enumerate(range(0, len(ids), CHUNK_SIZE)):
        part = ids[first : first + CHUNK_SIZE]
        yield Chunk(job=job, position=position, first=first, size=len(part), input={"product_ids": part})


def _work(job: Job, chunk: Chunk) -> Outcome:
    run = ShadowRun.objects.get(job=job)
    found = Product.objects.in_bulk(chunk.input["product_ids"])
    products = [
        (position, found[pk])
        for position, pk in enumerate(chunk.input["product_ids"], start=chunk.first)
        if pk in found
    ]
    texts = [engine.Text(**product.text()) for _, product in products]
    before, after = (_sides(pk, texts) for pk in (run.against_id, run.classifier_id))
    differences = [
        _difference(run, position, product, old, new)
        for (position, product), old, new in zip(products, before, after, strict=True)
        if (old.category_id, old.is_certain) != (new.category_id, new.is_certain)
    ]
    Difference.objects.bulk_create(differences, ignore_conflicts=True)
    # A product that was deleted meanwhile is no failure: there is nothing to say about it.
    return Outcome(succeeded=chunk.size, failed=0)


def _sides(classifier_id: int, texts: Sequence[engine.Text]) -> list[_Side]:
    loaded = engines.load(classifier_id)
    return [
        _Side(
            # A category may have gone since the classifier learned it.
            prediction.category_id if prediction.category_id in loaded.categories else None,
            round(prediction.confidence, 4),
            prediction.is_certain,
        )
        for prediction in loaded.engine.predict(texts, top_k=1)
    ]


def _difference(run: ShadowRun, position: int, product: Product, old: _Side, new: _Side) -> Difference:
    return Difference(
        run=run,
        position=position,
        product_id=product.pk,
        name=product.name,
        is_other_category=old.category_id != new.category_id,
        before_category_id=old.category_id,
        before_confidence=old.confidence,
        before_certain=old.is_certain,
        after_category_id=new.category_id,
        after_confidence=new.confidence,
        after_certain=new.is_certain,
    )


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=chunk.size)


def _finish(job: Job) -> None:
    """Count what was found, also when only a part of the products was done."""
    run = ShadowRun.objects.filter(job=job).first()
    if run is not None:
        job.result = counts(run, job.succeeded)
        job.save(update_fields=["result"])
        ShadowRun.objects.filter(pk=run.pk).update(**job.result)


def counts(run: ShadowRun, compared: int) -> dict[str, Any]:
    """How often the two agreed about the category, and how often only one of them was certain."""
    found = Difference.objects.filter(run=run)
    other = found.filter(is_other_category=True)
    differ = other.count()
    return {
        "agree": compared - differ,
        "differ": differ,
        "differ_both_certain": other.filter(before_certain=True, after_certain=True).count(),
        "certain_only_candidate": found.filter(before_certain=False, after_certain=True).count(),
        "certain_only_active": found.filter(before_certain=True, after_certain=False).count(),
    }


register(
    JobKind(
        name=KIND,
        prepare=_prepare,
        work=_work,
        give_up=_give_up,
        finish=_finish,
        permission=PERMISSION,
    )
)
