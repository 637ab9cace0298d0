"""What operators see of jobs at ``/status`` and ``/metrics``."""

from collections.abc import Iterator

from django.db.models import Count, Sum
from prometheus_client.core import GaugeMetricFamily

from nexus.jobs.models import Job
from nexus.ops.metrics import register_gauges
from nexus.ops.status import register_count


def jobs_by_status() -> dict[str, int]:
    """How many jobs there are in each state."""
    found = dict(Job.objects.order_by().values_list("status").annotate(Count("id")))
    return {status: found.get(status, 0) for status in Job.Status.values}


def gauges() -> Iterator[GaugeMetricFamily]:
    """Jobs by state, and the items of those that are not finished."""
    jobs = GaugeMetricFamily("nexus_jobs", "Jobs by state.", labels=["status"])
    for status, number in jobs_by_status().items():
        jobs.add_metric([status], number)
    yield jobs
    items = GaugeMetricFamily("nexus_job_items", "Items of jobs that are not finished.", labels=["state"])
    sums = Job.objects.filter(status__in=Job.ACTIVE).aggregate(
        total=Sum("total", default=0), succeeded=Sum("succeeded", default=0), failed=Sum("failed", default=0)
    )
    items.add_metric(["open"], sums["total"] - sums["succeeded"] - sums["failed"])
    items.add_metric(["succeeded"], sums["succeeded"])
    items.add_metric(["failed"], sums["failed"])
    yield items


def register() -> None:
    """Have it shown."""
    register_count("jobs", jobs_by_status)
    register_gauges(gauges)
