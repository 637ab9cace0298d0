"""What operators see of workflows."""

from accounts.models import User
from conftest import ClientOf
from workflows.services.executions import start
from workflows.tests.conftest import MakeWorkflow, Workers, gate


def test_status_and_metrics_tell_what_runs_and_what_waits(
    make_workflow: MakeWorkflow, workers: Workers, viewer: User, client_of: ClientOf
) -> None:
    workflow = make_workflow(gate())
    start(workflow_id=workflow.pk)
    workers.work()
    start(workflow_id=workflow.pk)
    client = client_of(viewer)
    counts = client.get("/status").json()["counts"]
    assert counts["executions"] == {"queued": 1, "running": 0, "waiting": 1}
    assert counts["approvals_waiting"] == 1
    metrics = client.get("/metrics").content.decode()
    assert 'nexus_executions{status="waiting"} 1.0' in metrics
    assert "nexus_approvals_waiting 1.0" in metrics
