"""What operators see of classification at ``/status`` and ``/metrics``."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from classification.models import Classification, Classifier
from nexus.ops.metrics import register_gauges
from nexus.ops.status import register_count, register_section


def waiting_reviews() -> int:
    """How many answers wait for a person."""
    return Classification.objects.open_reviews().order_by().count()


def active_classifiers() -> dict[str, dict[str, object]]:
    """The active classifier of each taxonomy."""
    rows = Classifier.objects.filter(status=Classifier.Status.ACTIVE, taxonomy__is_current=True)
    return {
        code: {"id": pk, "version": version, "training_size": size, "activated_at": activated_at}
        for code, pk, version, size, activated_at in rows.values_list(
            "taxonomy__code", "id", "version", "training_size", "activated_at"
        )
    }


def gauges() -> Iterator[GaugeMetricFamily]:
    """The length of the queue of reviews."""
    yield GaugeMetricFamily("nexus_reviews_waiting", "Answers that wait for a person.", waiting_reviews())


def register() -> None:
    """Have it shown."""
    register_count("reviews_waiting", waiting_reviews)
    register_section("classifiers", active_classifiers)
    register_gauges(gauges)
