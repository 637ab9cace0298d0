"""The same with real Celery workers, in processes of their own, one of which is killed."""

import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from conftest import ClientOf
from nexus.jobs.messages import send_task
from products.models import Product, Taxonomy
from workflows.models import StepRun
from workflows.tests.conftest import MakeWorkflow, gate, publish, select, start

LONG_ENOUGH_S = 60


def wait_for(client: Any, location: str, status: str) -> dict[str, Any]:
    """An execution once it has reached a status; the sweeper goes round as beat would have it do."""
    deadline = time.monotonic() + LONG_ENOUGH_S
    while (execution := client.get(location).json())["status"] != status:
        assert time.monotonic() < deadline, execution
        send_task("workflows.recover_executions")
        send_task("nexus.jobs.recover_jobs")
        time.sleep(0.5)
    return dict(execution)


@pytest.mark.faults
def test_an_execution_survives_the_death_of_its_worker(
    make_workflow: MakeWorkflow,
    taxonomy: Taxonomy,
    products: list[Product],
    worker_process: Callable[[], subprocess.Popen[bytes]],
    reviewer: User,
    client_of: ClientOf,
) -> None:
    client = client_of(reviewer)
    classify = {"id": "classify", "uses": "classification.classify", "needs": ["pick"]}
    steps = select(), classify, gate("classify"), publish("gate")
    worker = worker_process()
    location = start(client, make_workflow(*steps))
    wait_for(client, location, "waiting")
    worker.kill()
    worker.wait()
    assert client.post(f"{location}/steps/gate/approve").status_code == 200
    # The dead worker had taken the last step.
    StepRun.objects.filter(step_id="publish").update(
        status="running", attempts=1, leased_by="the dead worker", leased_until=timezone.now()
    )
    worker_process()
    execution = wait_for(client, location, "succeeded")
    assert [step["attempts"] for step in execution["steps"]] == [1, 1, 1, 2]
    assert set(Product.objects.values_list("status", flat=True)) == {"active"}
