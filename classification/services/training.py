"""Training classifiers, and comparing one with another."""

from typing import Any

from django.conf import settings
from django.db import transaction

from classification import engine
from classification.models import Classifier
from classification.services import activation, comparing, engines, examples, fitting, policies
from nexus.api.errors import Conflict, invalid
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, cut, register
from nexus.jobs.models import Chunk, Job
from products.models import Product, Taxonomy

KIND = "train"
PERMISSION = "classification.add_classifier"
COMPARED_PRODUCTS = 500
# What a training may take beside the fitting: reading, comparing, keeping.
SPARE_SECONDS = 600

Status = Classifier.Status


def train(taxonomy: Taxonomy, *, user_id: int | None, why: str = "") -> Classifier:
    """Accept the training of a new version. Raises Conflict while another of the taxonomy is at work.

    `why` tells people why, such as "after 400 new decisions", where nobody asked for it.
    """
    with transaction.atomic():
        engines.lock(taxonomy)
        _check_none_in_training(taxonomy)
        engines.categories_of(taxonomy)
        job = jobs.create_job(
            kind=KIND,
            purpose=f"Training for {taxonomy} {why}".strip(),
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
    metrics = {name: value for name, value in loaded.engine.metrics.items() if name != "report"}
    return {"id": loaded.id, "version": loaded.version, "metrics": metrics}


def _brief(loaded: engines.Loaded, prediction: engine.Prediction) -> dict[str, Any]:
    category = loaded.categories.get(prediction.category_id) if prediction.category_id else None
    return {"category": category, "confidence": round(prediction.confidence, 4)}


def _prepare(job: Job) -> list[Chunk]:
    return cut(job, total=1, size=1)


def _work(job: Job, chunk: Chunk) -> Outcome:
    taxonomy = engines.taxonomy_of(job.parameters["taxonomy"])
    engines.check_not_too_new(taxonomy)
    policy = policies.policy_of(taxonomy)
    Classifier.objects.filter(job=job, status=Status.TRAINING).update(
        fingerprint=examples.fingerprint(taxonomy, policy.promised_precision)
    )
    trial = comparing.trial_of(taxonomy, policy)
    try:
        fitted = fitting.fit(
            engines.categories_of(taxonomy),
            trial.read(examples.labelled(taxonomy)),
            examples.unlabelled(taxonomy),
            policy.promised_precision,
        )
    except fitting.FittingError as failure:
        return _give_up(job, chunk, str(failure))
    _keep(job, taxonomy, fitted, trial.outcome(fitted.held))
    return Outcome(succeeded=1, failed=0)


def _keep(job: Job, taxonomy: Taxonomy, fitted: fitting.Fitted, comparison: dict[str, Any]) -> None:
    """Make a candidate of what was fitted, and activate it where the comparison says so."""
    with transaction.atomic():
        engines.lock(taxonomy)
        classifier = Classifier.objects.without_artefact().select_for_update().get(job=job)
        if classifier.status != Status.TRAINING:
            return
        metrics = dict(fitted.metrics)
        classifier.report = metrics.pop("report", None) or {}
        classifier.artefact, classifier.metrics, classifier.comparison = fitted.artefact, metrics, comparison
        classifier.status, classifier.training_size = Status.CANDIDATE, metrics["training_size"]
        classifier.taxonomy_revision = taxonomy.revision
        classifier.save()
        job.result = {"classifier_id": classifier.pk, "version": classifier.version, "comparison": comparison}
        job.save(update_fields=["result"])
        if comparison.get("is_not_worse"):
            activation.activate(classifier, user_id=None, reason=activation.Reason.RULE)


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
    """A training that was cancelled, or could not begin, stands in nobody's way; one that failed says why."""
    reason = job.error or "The training was cancelled."
    Classifier.objects.filter(job=job, status=Status.TRAINING).update(status=Status.FAILED, error=reason)
    if job.status == Job.Status.FAILED and not job.error:
        job.error = Classifier.objects.values_list("error", flat=True).filter(job=job).first() or ""
        job.save(update_fields=["error"])


register(
    JobKind(
        name=KIND,
        prepare=_prepare,
        work=_work,
        give_up=_give_up,
        before_retry=_take_up_again,
        finish=_finish,
        permission=PERMISSION,
        queue=settings.TRAINING_QUEUE,
        seconds=settings.TRAINING_SECONDS + SPARE_SECONDS,
    )
)
