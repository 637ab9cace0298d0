"""When a taxonomy gets a new classifier without anybody asking."""

import logging
from datetime import datetime

import pghistory
from cronsim import CronSim
from django.db import transaction
from django.utils import timezone

from classification.models import Classifier, Policy
from classification.services import examples, policies, training
from nexus.api.errors import Problem
from products.models import Taxonomy

logger = logging.getLogger(__name__)

REPAIR = "since its classifier cannot be read any more"


def retrain_where_due() -> int:
    """Begin the trainings that the policies of the current taxonomies ask for; says how many.

    Safe to run at any time and in any number of places at once: one training of a taxonomy runs at a time, and none
    begins when nothing has changed since the last.
    """
    return sum(_retrain(taxonomy) for taxonomy in Taxonomy.objects.filter(is_current=True).order_by("id"))


def _retrain(taxonomy: Taxonomy) -> bool:
    try:
        with transaction.atomic():
            policy = policies.locked_policy(taxonomy)
            reason = _reason(policy, taxonomy, timezone.now())
            if not reason or not (reason == REPAIR or _has_changed(taxonomy, policy)):
                return False
            with pghistory.context(source="policy"):
                classifier = training.train(taxonomy, user_id=None, why=reason)
    except Problem as problem:
        logger.info("No training: %s", problem.detail, extra={"taxonomy": taxonomy.code})
        return False
    logger.info("Training begins", extra={"taxonomy": taxonomy.code, "reason": reason, "id": classifier.pk})
    return True


def _reason(policy: Policy, taxonomy: Taxonomy, now: datetime) -> str:
    """Why a training is due, and empty when it is not. The schedule has then been considered up to now."""
    trains_by_itself = policy.retrain_cron or policy.retrain_after_decisions is not None
    if trains_by_itself and _is_damaged(_last_trained(taxonomy)):
        return REPAIR
    if policy.retrain_cron:
        due = next(CronSim(policy.retrain_cron, policy.retraining_considered_at), None)
        if due and due <= now:
            policy.retraining_considered_at = now
            policy.save(update_fields=["retraining_considered_at"])
            return "as scheduled"
    if policy.retrain_after_decisions is None:
        return ""
    last = _last_trained(taxonomy)
    since = last.created_at if last else taxonomy.created_at
    decisions = examples.decisions_since(taxonomy, since)
    return f"after {decisions} new decisions" if decisions >= policy.retrain_after_decisions else ""


def _is_damaged(classifier: Classifier | None) -> bool:
    """Whether a classifier answered until it could not be read any more, as after an upgrade to another format."""
    return bool(classifier and classifier.status == Classifier.Status.RETIRED and classifier.error)


def _last_trained(taxonomy: Taxonomy) -> Classifier | None:
    """The newest classifier that a job trained, or failed to train."""
    trained = Classifier.objects.without_artefact().filter(taxonomy=taxonomy).exclude(fingerprint="")
    return trained.order_by("-version").first()


def _has_changed(taxonomy: Taxonomy, policy: Policy) -> bool:
    """Whether a training would have anything to learn from, and not make the last classifier once more."""
    last = _last_trained(taxonomy)
    if last is None:
        return examples.are_there(taxonomy)
    return last.fingerprint != examples.fingerprint(taxonomy, policy.promised_precision)
