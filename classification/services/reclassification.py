"""Classifying again what a change touches, and nothing else: the one service behind API, admin and command."""

from collections.abc import Mapping
from typing import Any

from classification.services import classify, touched
from nexus.jobs.models import Job
from products.models import Taxonomy


def reclassify(because: Mapping[str, Any], *, apply: bool, user_id: int | None) -> Job:
    """Accept a classification job over the products that a change touches, as they are when the job is prepared.

    `because` is ``{"rule": id}``, ``{"classifier": id}`` (the active one) or ``{"taxonomy": reference}``. With
    `apply` accepted categories are written to products for which no person has decided. Raises Problem.
    """
    cause, changed = touched.cause_of(because)
    taxonomy: Taxonomy = changed if cause == "taxonomy" else changed.taxonomy
    chosen = classify.options(taxonomy=f"{taxonomy.code}@{taxonomy.version}", apply=apply)
    purpose = f"Classification of what the {cause} {changed} touches"
    return classify.classify_touched(because, purpose=purpose, chosen=chosen, user_id=user_id)
