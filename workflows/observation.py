"""What operators see of workflows at ``/status`` and ``/metrics``."""

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily

from nexus.ops.metrics import register_gauges
from nexus.ops.status import register_count
from workflows.models import Execution, StepRun


def waiting_approvals() -> int:
    """How many steps wait for somebody to approve or reject."""
    return StepRun.objects.waiting_for_approval().order_by().count()


def active_executions() -> dict[str, int]:
    """How many executions that have not ended there are in each state."""
    found = dict(Execution.objects.active().order_by().values_list("status").annotate(Count("id")))
    return {status: found.get(status, 0) for status in Execution.ACTIVE}


def gauges() -> Iterator[GaugeMetricFamily]:
    """Executions that have not ended, and approvals that wait."""
    executions = GaugeMetricFamily(
        "nexus_executions", "Executions that have not ended, by state.", labels=["status"]
    )
    for status, number in active_executions().items():
        executions.add_metric([status], number)
    yield executions
    yield GaugeMetricFamily("nexus_approvals_waiting", "Steps that wait for a person.", waiting_approvals())


def register() -> None:
    """Have it shown."""
    register_count("executions", active_executions)
    register_count("approvals_waiting", waiting_approvals)
    register_gauges(gauges)
