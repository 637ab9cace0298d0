"""What operators see of jobs at ``/status`` and ``/metrics``."""

from collections.abc import Iterator

from django.db.models import Count, Sum
from prometheus_client.core import GaugeMetricFamily

from nexus.jobs.models import Job
from nexus.jobs.queues import queues
from nexus.ops import doctor
from nexus.ops.doctor import Finding
from nexus.ops.metrics import register_gauges
from nexus.ops.status import register_count, register_section


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


def queue_gauges() -> Iterator[GaugeMetricFamily]:
    """Of each queue that a message has come through: when that was, and how long it waited."""
    heard = GaugeMetricFamily(
        "nexus_queue_heard_timestamp_seconds", "When a worker last took a message.", labels=["queue"]
    )
    wait = GaugeMetricFamily("nexus_queue_wait_seconds", "How long that message waited.", labels=["queue"])
    deaf = GaugeMetricFamily("nexus_queue_deaf", "Whether nobody listens.", labels=["queue"])
    for name, one in queues().items():
        deaf.add_metric([name], one["state"] == "deaf")
        if one["heard_at"] is not None and one["wait_s"] is not None:
            heard.add_metric([name], one["heard_at"].timestamp())
            wait.add_metric([name], one["wait_s"])
    yield from (heard, wait, deaf)


def check_queues() -> Finding:
    """Whether somebody listens to every queue."""
    states = {name: one["state"] for name, one in queues().items()}
    deaf = [name for name, state in states.items() if state == "deaf"]
    detail = ", ".join(f"{name}: {state}" for name, state in states.items())
    if not deaf:
        return Finding("queues", detail)
    mend = f"celery -A nexus worker --queues {','.join(deaf)} (and once: celery -A nexus beat)"
    return Finding("queues", detail, mend, is_fatal=False)


def register() -> None:
    """Have it shown."""
    register_count("jobs", jobs_by_status)
    register_section("listening", queues)
    register_gauges(gauges)
    register_gauges(queue_gauges)
    doctor.register(check_queues)
