"""`classification.classify`: products are classified by a job, which the step waits for."""

from collections.abc import Mapping
from typing import Any

from classification.models import Classification
from classification.services import classify
from nexus.jobs import services as jobs
from nexus.jobs.models import Job
from workflows.steps.base import (
    COUNT,
    MAX_PRODUCTS,
    PRODUCT_IDS,
    Done,
    HandedOver,
    StepCancelledError,
    StepFailedError,
    StepKind,
    Task,
    inputs_schema,
    outputs_schema,
)
from workflows.steps.filters import FILTER_SCHEMA

Decision = Classification.Decision
PASSED_ON: Mapping[str, Any] = {
    **PRODUCT_IDS,
    "type": ["array", "null"],
    "description": f"Null when there were more than {MAX_PRODUCTS:,} products.",
}


class Classify(StepKind):
    """Classifies products of the catalogue."""

    uses = "classification.classify"
    description = (
        "Classifies products in a job, and ends when the job does. The products are those of `products`, or all that "
        "`filter` lets through, or else those of the nearest step before that gives `product_ids`. With `apply` the "
        "accepted categories are written to the products. `product_ids` passes on all that got an answer, "
        "`accepted_product_ids` those whose category was certain enough."
    )
    input_schema = {
        **inputs_schema(
            taxonomy={
                "type": "string",
                "description": "Its code, or code@version. The only one when left out.",
            },
            products=PRODUCT_IDS,
            filter=FILTER_SCHEMA,
            apply={"type": "boolean", "default": True},
            top_k={"type": "integer", "minimum": 1, "maximum": 20, "default": classify.DEFAULT_TOP_K},
        ),
        "not": {"required": ["products", "filter"]},
    }
    output_schema = outputs_schema(
        job_id={"type": ["string", "null"], "description": "Null when there was nothing to classify."},
        total=COUNT,
        auto_accepted=COUNT,
        needs_review=COUNT,
        failed=COUNT,
        product_ids=PASSED_ON,
        accepted_product_ids=PASSED_ON,
    )

    def run(self, inputs: Mapping[str, Any], task: Task) -> Done | HandedOver:
        """Make the job, or have the job of an attempt before take up what it left."""
        if task.job is not None and task.job.status in {
            Job.Status.FAILED,
            Job.Status.PARTIALLY_FAILED,
            Job.Status.CANCELLED,
        }:
            return HandedOver(jobs.retry(task.job))
        chosen = classify.options(
            taxonomy=inputs.get("taxonomy"),
            top_k=inputs.get("top_k", classify.DEFAULT_TOP_K),
            apply=inputs.get("apply", True),
        )
        if "filter" in inputs:
            return HandedOver(classify.classify_filter(inputs["filter"], chosen=chosen, user_id=task.user_id))
        products = inputs["products"] if "products" in inputs else task.inherited_products()
        if not products:
            return Done(_NOTHING)
        items = ({"product_id": pk} for pk in dict.fromkeys(products))
        return HandedOver(classify.classify_items(items, chosen=chosen, user_id=task.user_id))

    def collect(self, job: Job) -> Mapping[str, Any]:
        """What the answers of the job came to. A job that failed in part is a success that says so."""
        if job.status == Job.Status.CANCELLED:
            raise StepCancelledError(f"Job {job.pk} was cancelled.")
        if job.status == Job.Status.FAILED:
            raise StepFailedError(job.error or f"None of the {job.total} products could be classified.")
        answers = Classification.objects.filter(job=job).order_by("position")
        return {
            "job_id": str(job.pk),
            "total": job.total,
            "auto_accepted": answers.filter(decision=Decision.AUTO_ACCEPTED).count(),
            # What is already reviewed by the time the job ends was in need of it all the same.
            "needs_review": answers.exclude(decision__in=[Decision.AUTO_ACCEPTED, Decision.FAILED]).count(),
            "failed": answers.filter(decision=Decision.FAILED).count(),
            "product_ids": _products(answers.exclude(decision=Decision.FAILED), job),
            "accepted_product_ids": _products(answers.filter(decision=Decision.AUTO_ACCEPTED), job),
        }


def _products(answers: Any, job: Job) -> list[int] | None:
    if job.total > MAX_PRODUCTS:
        return None
    return list(answers.exclude(product=None).values_list("product_id", flat=True))


_NOTHING: Mapping[str, Any] = {
    "job_id": None,
    "total": 0,
    "auto_accepted": 0,
    "needs_review": 0,
    "failed": 0,
    "product_ids": [],
    "accepted_product_ids": [],
}
