"""Classifying: one product while the caller waits, or any number of them as a job."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from classification.models import Classification
from classification.services import auditing, engines, touched
from classification.services.answers import ERROR_LENGTH, Item, answers_to
from classification.services.sources import sources_of
from nexus.api.copying import copy
from nexus.api.errors import NotFound
from nexus.api.filters import apply_filters
from nexus.api.saving import insert
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, Step, chunks_of, register
from nexus.jobs.models import Chunk, Job
from nexus.jobs.reasons import filter_as_text, reason_for
from nexus.ops.context import current_request_id
from products.filters import ProductFilterSet
from products.models import Product
from products.services.products import set_automatic_categories

KIND = "classify"
PERMISSION = "classification.run_classification"
CHUNK_SIZE = 1_000
DEFAULT_TOP_K = 5

Decision = Classification.Decision
FIELDS = [field for field in Classification._meta.local_concrete_fields if not field.primary_key]
COLUMNS = [field.name for field in FIELDS]
_values = attrgetter(*(field.attname for field in FIELDS))


@dataclass(frozen=True, slots=True)
class Options:
    """How a job classifies: into which version of a taxonomy, by which classifier, and what is done with answers."""

    taxonomy: str
    classifier: dict[str, int]
    top_k: int = DEFAULT_TOP_K
    apply: bool = False

    def as_parameters(self) -> dict[str, Any]:
        """What a job keeps of it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def options(*, taxonomy: str | None = None, top_k: int = DEFAULT_TOP_K, apply: bool = False) -> Options:
    """Options with the taxonomy and the classifier fixed to what is current and active at this moment.

    Raises NotFound or Conflict when there is no such taxonomy, or nothing in it.
    """
    loaded, _ = engines.answering(taxonomy)
    return _options(loaded, top_k, apply)


def _options(loaded: engines.Loaded, top_k: int, apply: bool) -> Options:
    return Options(
        taxonomy=f"{loaded.taxonomy.code}@{loaded.taxonomy.version}",
        classifier={"id": loaded.id, "version": loaded.version},
        top_k=top_k,
        apply=apply,
    )


def classify_one(
    item: Mapping[str, Any],
    *,
    taxonomy: str | None = None,
    top_k: int = DEFAULT_TOP_K,
    apply: bool = False,
    user_id: int | None,
) -> tuple[Job, Classification, engines.Loaded]:
    """Classify one item at once, and keep the answer as a job that has ended.

    Raises NotFound for its product, and as `options` does.
    """
    loaded, sources = engines.answering(taxonomy)
    chosen = _options(loaded, top_k, apply)
    found = _items([item], first=0)[0]
    if found.error:
        raise NotFound("product_not_found", found.error)
    job = Job(
        kind=KIND,
        created_by_id=user_id,
        request_id=current_request_id() or "",
        reason=reason_for("Classification of one item"),
        status=Job.Status.SUCCEEDED,
        parameters=chosen.as_parameters(),
        total=1,
        processed=1,
        succeeded=1,
    )
    job.started_at = job.created_at
    answers = answers_to([found], job, loaded, sources, top_k=top_k)
    job.finished_at = timezone.now()
    auditing.draw(answers)
    # Without a product there is one statement, which is a transaction of its own.
    with transaction.atomic() if found.product_id else nullcontext():
        _close_older_reviews(answers)
        insert(job, answers[0])
        _apply(answers, chosen)
    return job, answers[0], loaded


def classify_items(items: Iterable[Mapping[str, Any]], *, chosen: Options, user_id: int | None) -> Job:
    """Accept a job over items that the caller gives, each a text or ``{"product_id"}``."""
    with transaction.atomic():
        job = jobs.create_job(
            kind=KIND,
            purpose="Classification of given items",
            parameters=chosen.as_parameters(),
            user_id=user_id,
        )
        job.total = jobs.save_chunks(chunks_of(job, items, CHUNK_SIZE, "items"))
        job.save(update_fields=["total"])
    return job


def classify_filter(values: Mapping[str, Any], *, chosen: Options, user_id: int | None) -> Job:
    """Accept a job over all products that a list filter lets through. Raises Problem for a bad filter."""
    total = filtered_products(values).order_by().count()
    parameters = chosen.as_parameters() | {"filter": dict(values)}
    purpose = f"Classification of {filter_as_text(values)}"
    return jobs.create_job(kind=KIND, purpose=purpose, parameters=parameters, user_id=user_id, total=total)


def filtered_products(values: Mapping[str, Any]) -> Any:
    """The products that a list filter given as JSON lets through. Raises Problem naming the wrong place."""
    return apply_filters(ProductFilterSet, values, Product.objects.all(), pointer="/filter")


def classify_touched(
    because: Mapping[str, Any], *, purpose: str, chosen: Options, user_id: int | None
) -> Job:
    """Accept a job over all products that a change touches; see `classification.services.touched`."""
    parameters = chosen.as_parameters() | {"because": dict(because)}
    return jobs.create_job(kind=KIND, purpose=purpose, parameters=parameters, user_id=user_id)


def _next_step(job: Job, after: Any) -> Step:
    """Chunks of a job over products that are not named: which they are is settled here, whatever changes later."""
    if "because" in job.parameters:
        ids, end = touched.next_ids(job.parameters["because"], after or 0)
    elif "filter" in job.parameters:
        ids, end = touched.ids_above(filtered_products(job.parameters["filter"]), after or 0)
    else:
        return Step((), None)
    return Step(chunks_of(job, ids, CHUNK_SIZE, "product_ids"), end)


def _work(job: Job, chunk: Chunk) -> Outcome:
    given = {field.name for field in fields(Options)} & job.parameters.keys()
    chosen = Options(**{name: job.parameters[name] for name in given})
    loaded = engines.serving(chosen.classifier["id"])
    answered = set(_results_of(job, chunk).values_list("position", flat=True))
    items = [item for item in _items(_inputs(chunk), chunk.first) if item.position not in answered]
    sources = sources_of(loaded.taxonomy.pk)
    answers = answers_to(items, job, loaded, sources, top_k=chosen.top_k, explain=False)
    with transaction.atomic():
        _keep(answers, chosen)
    return _outcome(job, chunk)


def _inputs(chunk: Chunk) -> list[Mapping[str, Any]]:
    if "items" in chunk.input:
        return list(chunk.input["items"])
    return [{"product_id": pk} for pk in chunk.input["product_ids"]]


def _items(inputs: Sequence[Mapping[str, Any]], first: int) -> list[Item]:
    wanted = [item["product_id"] for item in inputs if "product_id" in item]
    texts = Product.objects.filter(pk__in=wanted).texts() if wanted else {}
    return [_item(position, given, texts) for position, given in enumerate(inputs, start=first)]


def _item(position: int, given: Mapping[str, Any], texts: Mapping[int, Mapping[str, Any]]) -> Item:
    if "product_id" not in given:
        return Item(position, given)
    text = texts.get(given["product_id"])
    if text is None:
        return Item(position, given, error=f"There is no product {given['product_id']}.")
    return Item(position, text, given["product_id"])


def _keep(answers: Sequence[Classification], chosen: Options) -> None:
    """Save answers: each position of a job has one, whoever is first. They take the place of older open reviews."""
    if not answers:
        return
    auditing.draw(answers)
    _close_older_reviews(answers)
    now = timezone.now()
    for answer in answers:
        answer.created_at = now
    try:
        with transaction.atomic():
            copy(Classification, COLUMNS, map(_values, answers))
    except IntegrityError:
        # Another worker has kept some of them, or a product or a category has gone meanwhile.
        Classification.objects.bulk_create(answers, ignore_conflicts=True)
    _apply(answers, chosen)


def _apply(answers: Sequence[Classification], chosen: Options) -> None:
    """Give products the categories of certain answers, where the caller wants that."""
    if chosen.apply:
        set_automatic_categories(
            {
                answer.product_id: answer.category_id
                for answer in answers
                if answer.product_id and answer.category_id and answer.decision == Decision.AUTO_ACCEPTED
            }
        )


def _close_older_reviews(answers: Sequence[Classification]) -> None:
    """Answers of one job take the place of open reviews of the same products."""
    products = [a.product_id for a in answers if a.product_id and a.decision != Decision.FAILED]
    if not products:
        return
    first, last = answers[0], answers[-1]
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE_OLDER_REVIEWS,
            [products, first.taxonomy_id, str(first.job_id), first.position, last.position],
        )


# Another worker may have kept answers for the same positions: those are not older, they are these.
_CLOSE_OLDER_REVIEWS = """
UPDATE classification_classification SET awaits_review = false
WHERE awaits_review AND product_id = ANY(%s) AND taxonomy_id = %s
AND NOT (job_id = %s::uuid AND position BETWEEN %s AND %s)
"""


def _results_of(job: Job, chunk: Chunk) -> Any:
    return Classification.objects.filter(
        job=job, position__gte=chunk.first, position__lt=chunk.first + chunk.size
    )


def _outcome(job: Job, chunk: Chunk) -> Outcome:
    failed = _results_of(job, chunk).filter(decision=Decision.FAILED).count()
    return Outcome(succeeded=chunk.size - failed, failed=failed)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    """Keep a failed answer for every item of a chunk that has none."""
    taxonomy = engines.taxonomy_of(job.parameters["taxonomy"])
    answered = set(_results_of(job, chunk).values_list("position", flat=True))
    Classification.objects.bulk_create(
        [
            Classification(
                job=job,
                position=position,
                input=dict(given),
                taxonomy=taxonomy,
                decision=Decision.FAILED,
                error=reason[:ERROR_LENGTH],
            )
            for position, given in enumerate(_inputs(chunk), start=chunk.first)
            if position not in answered
        ],
        ignore_conflicts=True,
    )
    return _outcome(job, chunk)


def _forget_failures(job: Job) -> None:
    Classification.objects.filter(job=job, decision=Decision.FAILED).delete()


register(
    JobKind(
        name=KIND,
        next_step=_next_step,
        work=_work,
        give_up=_give_up,
        before_retry=_forget_failures,
        permission=PERMISSION,
    )
)
