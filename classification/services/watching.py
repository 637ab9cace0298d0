"""How the classifiers do in use: what people found wrong, and whether it gets worse."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from classification.models import Alarm, Classification, Classifier, Review, Watch
from classification.services import engines, policies
from products.models import Taxonomy

logger = logging.getLogger(__name__)

Decision = Classification.Decision
Kind = Alarm.Kind

WEEK, BEFORE = timedelta(days=7), timedelta(days=28)
# Fewer tell nothing, however large their shares are.
FEWEST_IN_WEEK, FEWEST_BEFORE, FEWEST_AUDITS = 50, 100, 30
# A rise that chance would bring about once in a hundred weeks raises an alarm.
NINETY_NINE_PERCENT_ONE_SIDED = 2.3263478740408408
NINETY_FIVE_PERCENT_TWO_SIDED = 1.959963984540054

Counts = Mapping[str, int]


def wilson_interval(hits: int, of: int) -> tuple[float, float] | None:
    """The 95 % interval of a share (Wilson, "Probable inference", 1927); None of nothing."""
    if of == 0:
        return None
    z = NINETY_FIVE_PERCENT_TWO_SIDED
    share = hits / of
    middle = share + z * z / (2 * of)
    spread = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    whole = 1 + z * z / of
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def has_risen(hits: int, of: int, hits_before: int, of_before: int) -> bool:
    """Whether a share is greater than before, by the one-sided test of two proportions at 99 %, on enough rows."""
    if of < FEWEST_IN_WEEK or of_before < FEWEST_BEFORE:
        return False
    pooled = (hits + hits_before) / (of + of_before)
    deviation = sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_before))
    return deviation > 0 and (hits / of - hits_before / of_before) / deviation > NINETY_NINE_PERCENT_ONE_SIDED


def share(hits: int, of: int) -> dict[str, Any]:
    """A share with the numbers that it is made of and its interval; None where there are none."""
    interval = wilson_interval(hits, of)
    return {
        "count": hits,
        "of": of,
        "share": round(hits / of, 4) if of else None,
        "interval": [round(bound, 4) for bound in interval] if interval else None,
    }


def decided_about(classifier_id: int) -> dict[str, dict[str, Any]]:
    """What people decided about the answers of a classifier: ``doubtful`` ones, and the ``audits`` of certain ones.

    Answers of rules and of earlier decisions are not among them, although it was asked beside them.

    Each is ``{reviewed, accepted, corrected, rejected, precision, interval}``. Audits were drawn at random, so theirs
    is the precision of what is accepted automatically.
    """
    rows = (
        Classification.objects.filter(
            classifier=classifier_id,
            source=Classification.Source.CLASSIFIER,
            decision__in=[Decision.ACCEPTED, Decision.CORRECTED, Decision.REJECTED],
        )
        .order_by()
        .values_list("is_audit", "decision")
        .annotate(Count("id"))
    )
    found = {(is_audit, decision): count for is_audit, decision, count in rows}
    return {name: _decided(found, is_audit) for name, is_audit in (("doubtful", False), ("audits", True))}


def _decided(found: Mapping[tuple[bool, str], int], is_audit: bool) -> dict[str, Any]:
    numbers = {
        str(decision): found.get((is_audit, decision), 0)
        for decision in (Decision.ACCEPTED, Decision.CORRECTED, Decision.REJECTED)
    }
    reviewed = sum(numbers.values())
    precision = share(numbers["accepted"], reviewed)
    return {
        "reviewed": reviewed,
        **numbers,
        "precision": precision["share"],
        "interval": precision["interval"],
    }


def live_error_rate(classifier_id: int) -> dict[str, Any]:
    """The share of the audited answers of a classifier that were wrong, of those that people have decided."""
    audits = decided_about(classifier_id)["audits"]
    return share(audits["corrected"] + audits["rejected"], audits["reviewed"])


def counted(taxonomy: Taxonomy, start: datetime, end: datetime) -> dict[str, int]:
    """Answers of a time, those of them that were left to people, and what people decided in that time."""
    answers = Classification.objects.filter(taxonomy=taxonomy, created_at__gte=start, created_at__lt=end)
    reviews = Review.objects.filter(
        classification__taxonomy=taxonomy, decided_at__gte=start, decided_at__lt=end
    )
    certain = Q(decision=Decision.AUTO_ACCEPTED) | Q(is_audit=True)
    return answers.exclude(decision=Decision.FAILED).aggregate(
        answers=Count("id"), abstained=Count("id", filter=~certain)
    ) | reviews.aggregate(decided=Count("id"), wrong=Count("id", filter=~Q(decision=Review.Decision.ACCEPT)))


def watch_all() -> int:
    """Count anew for every current taxonomy, and raise and end alarms; says how many are raised."""
    for taxonomy in Taxonomy.objects.filter(is_current=True).order_by("id"):
        watch(taxonomy, timezone.now())
    return Alarm.objects.filter(ended_at=None).count()


def watch(taxonomy: Taxonomy, now: datetime) -> None:
    """Count the last weeks of a taxonomy. A new alarm is logged once, and ends when its cause has gone."""
    week, before = counted(taxonomy, now - WEEK, now), counted(taxonomy, now - WEEK - BEFORE, now - WEEK)
    with transaction.atomic():
        engines.lock(taxonomy)
        Watch.objects.update_or_create(
            taxonomy=taxonomy, defaults={"counted_at": now, "week": week, "before": before}
        )
        causes = dict(_causes(taxonomy, week, before))
        raised = Alarm.objects.filter(taxonomy=taxonomy, ended_at=None)
        raised.exclude(kind__in=causes).update(ended_at=now)
        known = set(raised.values_list("kind", flat=True))
        for kind in causes.keys() - known:
            Alarm.objects.create(taxonomy=taxonomy, kind=kind, figures=causes[kind])
            logger.warning(
                "Alarm: %s", kind.label, extra={"taxonomy": taxonomy.code, "alarm": kind, **causes[kind]}
            )


def _causes(taxonomy: Taxonomy, week: Counts, before: Counts) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """The alarms that there is cause for, with the shares that say so."""
    for kind, hits, of in (
        (Kind.CORRECTIONS, "wrong", "decided"),
        (Kind.ABSTENTIONS, "abstained", "answers"),
    ):
        if has_risen(week[hits], week[of], before[hits], before[of]):
            yield kind, {"week": share(week[hits], week[of]), "before": share(before[hits], before[of])}
    active = Classifier.objects.active_of(taxonomy)
    wrong = live_error_rate(active.pk) if active else share(0, 0)
    allowed = round(1 - policies.policy_of(taxonomy).promised_precision, 4)
    if wrong["of"] >= FEWEST_AUDITS and wrong["interval"][0] > allowed:
        yield Kind.PROMISE, {"audits": wrong, "allowed": allowed}


def figures() -> dict[str, dict[str, Any]]:
    """What is known of the active classifier of each current taxonomy, by the taxonomy's code."""
    rows = Classifier.objects.filter(status=Classifier.Status.ACTIVE, taxonomy__is_current=True)
    watched = {watch.taxonomy_id: watch for watch in Watch.objects.all()}
    return {
        classifier.taxonomy.code: {
            "classifier": {"id": classifier.pk, "version": classifier.version},
            "live_error_rate": live_error_rate(classifier.pk),
            **_rates(watched.get(classifier.taxonomy_id)),
        }
        for classifier in rows.without_artefact().select_related("taxonomy").order_by("taxonomy__code")
    }


def _rates(watched: Watch | None) -> dict[str, Any]:
    if watched is None:
        return {"abstention_rate": None, "correction_rate": None, "counted_at": None}
    week = watched.week
    return {
        "abstention_rate": share(week["abstained"], week["answers"]),
        "correction_rate": share(week["wrong"], week["decided"]),
        "counted_at": watched.counted_at,
    }


def alarms() -> list[dict[str, Any]]:
    """The alarms that are raised, the newest first."""
    return [
        {
            "taxonomy": alarm.taxonomy.code,
            "kind": alarm.kind,
            "text": alarm.get_kind_display(),
            "raised_at": alarm.raised_at,
            **alarm.figures,
        }
        for alarm in Alarm.objects.filter(ended_at=None).select_related("taxonomy")
    ]
