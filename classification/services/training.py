"""Training classifiers, activating them, and comparing one with another."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from classification import engine
from classification.models import Classifier
from classification.services import engines
from nexus.api.errors import Conflict, invalid
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, cut, register
from nexus.jobs.models import Chunk, Job
from products.models import Product, Taxonomy

KIND = "train"
PERMISSION = "classification.add_classifier"
COMPARED_PRODUCTS = 500

Status = Classifier.Status


def train(taxonomy: Taxonomy, *, user_id: int | None) -> Classifier:
    """Accept the training of a new version. Raises Conflict while another of the taxonomy is at work."""
    with transaction.atomic():
        engines.lock(taxonomy)
        _check_none_in_training(taxonomy)
        engines.categories_of(taxonomy)
        job = jobs.create_job(
            kind=KIND,
            parameters={"taxonomy": f"{taxonomy.code}@{taxonomy.version}"},
            user_id=user_id,
            total=1,
        )
        return Classifier.objects.create(
            taxonomy=taxonomy,
            version=engines.next_version(taxonomy),
            taxonomy_revision=taxonomy.revision,
            job=job,
        )


def _check_none_in_training(taxonomy: Taxonomy) -> None:
    """Call it under the lock of the taxonomy's classifiers."""
    if Classifier.objects.filter(taxonomy=taxonomy, status=Status.TRAINING).exists():
        raise Conflict("training_runs", "A classifier of this taxonomy is being trained already.")


def activate(classifier: Classifier) -> Classifier:
    """Let a classifier answer for its taxonomy from now on. Raises Conflict for one that cannot."""
    with transaction.atomic():
        engines.lock(classifier.taxonomy)
        classifier = Classifier.objects.without_artefact().select_for_update().get(pk=classifier.pk)
        if classifier.status == Status.ACTIVE:
            return classifier
        if Status.ACTIVE not in Classifier.TRANSITIONS[Status(classifier.status)]:
            raise Conflict(
                "classifier_state", f"A classifier that is {classifier.status} cannot be activated."
            )
        Classifier.objects.filter(taxonomy=classifier.taxonomy_id, status=Status.ACTIVE).update(
            status=Status.RETIRED
        )
        classifier.status, classifier.activated_at = Status.ACTIVE, timezone.now()
        classifier.save(update_fields=["status", "activated_at"])
    return classifier


def compare(one: Classifier, other_id: int) -> dict[str, Any]:
    """What two classifiers of a taxonomy say differently about the newest products. Raises Problem."""
    left, right = engines.load(one.pk), _same_taxonomy(one, engines.load(other_id))
    products = list(Product.objects.order_by("-id")[:COMPARED_PRODUCTS])
    texts = [engine.Text(**product.text()) for product in products]
    pairs = list(
        zip(products, left.engine.predict(texts, top_k=1), right.engine.predict(texts, top_k=1), strict=True)
    )
    different = [pair for pair in pairs if pair[1].category_id != pair[2].category_id]
    return {
        "classifier": _figures(left),
        "with": _figures(right),
        "compared": len(pairs),
        "different": len(different),
        "differences": [
            {
                "product_id": product.pk,
                "name": product.name,
                "before": _brief(right, theirs),
                "after": _brief(left, ours),
            }
            for product, ours, theirs in different
        ],
    }


def _same_taxonomy(one: Classifier, other: engines.Loaded) -> engines.Loaded:
    if other.taxonomy.pk != one.taxonomy_id:
        raise invalid("/query/with", "other_taxonomy", "Classifiers of one taxonomy are compared.")
    return other


def _figures(loaded: engines.Loaded) -> dict[str, Any]:
    return {"id": loaded.id, "version": loaded.version, "metrics": loaded.engine.metrics}


def _brief(loaded: engines.Loaded, prediction: engine.Prediction) -> dict[str, Any]:
    category = loaded.categories.get(prediction.category_id) if prediction.category_id else None
    return {"category": category, "confidence": round(prediction.confidence, 4)}


def _prepare(job: Job) -> list[Chunk]:
    return cut(job, total=1, size=1)


def _work(job: Job, chunk: Chunk) -> Outcome:
    taxonomy = engines.taxonomy_of(job.parameters["taxonomy"])
    fitted, training_size = engines.fit_learned(taxonomy)
    with transaction.atomic():
        engines.lock(taxonomy)
        classifier = Classifier.objects.without_artefact().select_for_update().get(job=job)
        if classifier.status == Status.TRAINING:
            classifier.status = Status.CANDIDATE
            classifier.artefact, classifier.metrics = fitted.to_bytes(), fitted.metrics
            classifier.training_size, classifier.taxonomy_revision = training_size, taxonomy.revision
            classifier.save()
            job.result = {"classifier_id": classifier.pk, "version": classifier.version}
            job.save(update_fields=["result"])
    return Outcome(succeeded=1, failed=0)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    Classifier.objects.filter(job=job, status=Status.TRAINING).update(status=Status.FAILED, error=reason)
    return Outcome(succeeded=0, failed=1)


def _take_up_again(job: Job) -> None:
    """Raises Conflict while another of the taxonomy is at work."""
    classifier = Classifier.objects.without_artefact().select_related("taxonomy").filter(job=job).first()
    if classifier is None:
        raise Conflict("nothing_to_retry", "The classifier that this job was to train has been deleted.")
    engines.lock(classifier.taxonomy)
    _check_none_in_training(classifier.taxonomy)
    Classifier.objects.filter(pk=classifier.pk, status=Status.FAILED).update(status=Status.TRAINING, error="")


def _finish(job: Job) -> None:
    """A training that was cancelled, or could not begin, stands in nobody's way."""
    reason = job.error or "The training was cancelled."
    Classifier.objects.filter(job=job, status=Status.TRAINING).update(status=Status.FAILED, error=reason)


register(
    JobKind(
        name=KIND,
        prepare=_prepare,
        work=_work,
        give_up=_give_up,
        before_retry=_take_up_again,
        finish=_finish,
        permission=PERMISSION,
    )
)
