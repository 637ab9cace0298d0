"""Which classifier answers for a taxonomy: activated by a person or by rule, and taken back in one step."""

from django.db import transaction

from classification.models import Activation, Classifier
from classification.services import engines
from nexus.api.errors import Conflict

PERMISSION = "classification.change_classifier"

Status = Classifier.Status
Reason = Activation.Reason


def activate(classifier: Classifier, *, user_id: int | None, reason: Reason = Reason.PERSON) -> Classifier:
    """Let a classifier answer for its taxonomy from now on.

    Raises Conflict for one that cannot: that is not trained, cannot be read, or would take the place of one that is too
    new for this process.
    """
    with transaction.atomic():
        engines.lock(classifier.taxonomy)
        classifier = Classifier.objects.without_artefact().select_for_update().get(pk=classifier.pk)
        if classifier.status == Status.ACTIVE:
            return classifier
        if Status.ACTIVE not in Classifier.TRANSITIONS[Status(classifier.status)]:
            raise Conflict(
                "classifier_state", f"A classifier that is {classifier.status} cannot be activated."
            )
        engines.check_not_too_new(classifier.taxonomy)
        engines.load(classifier.pk)
        return engines.put_in_charge(classifier, reason, user_id=user_id)


def step_back(classifier: Classifier, *, user_id: int | None) -> Classifier:
    """Let the one answer again that was active before a classifier and can be read; returns that one.

    Doing it again undoes it. Raises Conflict when the classifier is not the active one, so that of two people who
    step back at once the second changes nothing, and when there was none before it.
    """
    with transaction.atomic():
        engines.lock(classifier.taxonomy)
        classifier = Classifier.objects.without_artefact().get(pk=classifier.pk)
        if classifier.status != Status.ACTIVE:
            raise Conflict("not_active", "The classifier is not the active one of its taxonomy.")
        before = (
            Activation.objects.filter(
                taxonomy=classifier.taxonomy_id, classifier__status=Status.RETIRED, classifier__error=""
            )
            .exclude(classifier=classifier)
            .first()
        )
        if before is None:
            raise Conflict("nothing_before", "No other classifier was active in this taxonomy before.")
        return activate(
            Classifier.objects.without_artefact().select_related("taxonomy").get(pk=before.classifier_id),
            user_id=user_id,
            reason=Reason.RETURN,
        )
