"""What operators see of classification at ``/status`` and ``/metrics``."""

from collections.abc import Iterator
from typing import Any

from django.db.models import OuterRef, Subquery
from prometheus_client.core import GaugeMetricFamily

from classification.models import Activation, Classification, Classifier
from classification.services import engines, watching
from nexus.ops.metrics import register_gauges
from nexus.ops.status import register_count, register_section

RATES = {
    "live_error_rate": "Share of audited answers of the active classifier that were wrong, with its 95 % interval.",
    "abstention_rate": "Share of the answers of the last 7 days that were left to reviewers.",
    "correction_rate": "Share of the decisions of the last 7 days that were no acceptance.",
}


def waiting_reviews() -> int:
    """How many answers wait for a person."""
    return Classification.objects.open_reviews().order_by().count()


def active_classifiers() -> dict[str, dict[str, object]]:
    """The active classifier of each taxonomy, why it is that one, and the version that answers in this process."""
    newest = Activation.objects.filter(classifier=OuterRef("pk"))
    rows = Classifier.objects.filter(status=Classifier.Status.ACTIVE, taxonomy__is_current=True)
    found = rows.annotate(reason=Subquery(newest.values("reason")[:1])).values(
        "taxonomy__code", "taxonomy__revision", "id", "version", "training_size", "activated_at", "reason"
    )
    rows_of: list[dict[str, Any]] = [dict(row) for row in found]
    for row in rows_of:
        instead = engines.in_place_of(row["id"], row.pop("taxonomy__revision"))
        row["answers_here"] = instead.version if instead else row["version"]
    return {row.pop("taxonomy__code"): row for row in rows_of}


def gauges() -> Iterator[GaugeMetricFamily]:
    """The length of the queue of reviews, how often active classifiers are wrong or unsure, and alarms."""
    yield GaugeMetricFamily("nexus_reviews_waiting", "Answers that wait for a person.", waiting_reviews())
    yield from _rates()
    raised = GaugeMetricFamily(
        "nexus_classifier_alarm", "Alarms that are raised.", labels=["taxonomy", "kind"]
    )
    for alarm in watching.alarms():
        raised.add_metric([alarm["taxonomy"], alarm["kind"]], 1)
    yield raised


def _rates() -> Iterator[GaugeMetricFamily]:
    """One gauge a rate, with a sample for each bound of its interval; none where nothing was counted."""
    found = watching.figures()
    for name, text in RATES.items():
        gauge = GaugeMetricFamily(f"nexus_classifier_{name}", text, labels=["taxonomy", "bound"])
        for taxonomy, figures in found.items():
            rate = figures[name]
            if rate and rate["of"]:
                lower, upper = rate["interval"]
                for bound, value in (("lower", lower), ("estimate", rate["share"]), ("upper", upper)):
                    gauge.add_metric([taxonomy, bound], value)
        yield gauge


def register() -> None:
    """Have it shown."""
    register_count("reviews_waiting", waiting_reviews)
    register_section("classifiers", active_classifiers)
    register_section("watching", watching.figures)
    register_section("alarms", watching.alarms)
    register_gauges(gauges)
