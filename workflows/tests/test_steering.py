"""Starting, cancelling and retrying executions."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Product, Taxonomy
from workflows.models import Execution, StepRun
from workflows.services import steps as step_services
from workflows.services.executions import advance
from workflows.tests.conftest import MakeWorkflow, Workers, gate, publish, select, start, states

CLASSIFY = {"id": "classify", "uses": "classification.classify", "needs": ["pick"]}


@pytest.fixture
def client(editor: User, client_of: ClientOf) -> Any:
    """A client of an editor."""
    return client_of(editor)


def test_a_viewer_may_watch_and_not_start(
    make_workflow: MakeWorkflow, workers: Workers, client: Any, viewer: User, client_of: ClientOf
) -> None:
    workflow = make_workflow()
    location = start(client, workflow)
    watching = client_of(viewer)
    assert watching.get(location).status_code == 200
    assert watching.post(f"/api/v1/workflows/{workflow.pk}/executions").status_code == 403
    assert watching.post(f"{location}/cancel").status_code == 403
    assert watching.post(f"{location}/retry").status_code == 403
    assert watching.post(f"{location}/steps/gate/approve").status_code == 403


def test_what_is_left_is_not_done_when_whoever_started_it_loses_the_role(
    make_workflow: MakeWorkflow, workers: Workers, client: Any, editor: User, products: list[Product]
) -> None:
    location = start(client, make_workflow(select(), publish()))
    editor.groups.set(Group.objects.filter(name="viewer"))
    workers.work()
    told = client.get(location).json()
    assert (told["status"], told["steps"][0]["attempts"]) == ("failed", 1)
    assert "has lost the role" in told["error"]


def test_a_disabled_workflow_cannot_be_started(make_workflow: MakeWorkflow, client: Any) -> None:
    workflow = make_workflow(enabled=False)
    answer = client.post(f"/api/v1/workflows/{workflow.pk}/executions")
    assert (answer.status_code, answer.json()["code"]) == (409, "workflow_disabled")


def test_a_workflow_without_a_manual_trigger_cannot_be_started_by_hand(
    make_workflow: MakeWorkflow, client: Any
) -> None:
    workflow = make_workflow(on={"schedule": {"cron": "0 2 * * *"}})
    answer = client.post(f"/api/v1/workflows/{workflow.pk}/executions")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_started_by_hand")


@pytest.mark.parametrize("given", [1, "text", [1], None])
def test_an_input_is_an_object(given: Any, make_workflow: MakeWorkflow, client: Any) -> None:
    answer = client.post(f"/api/v1/workflows/{make_workflow().pk}/executions", {"input": given})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/input"


def test_an_input_that_is_too_large_or_too_deep_is_refused(make_workflow: MakeWorkflow, client: Any) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    url = f"/api/v1/workflows/{make_workflow().pk}/executions"
    assert client.post(url, {"input": deep}).json()["errors"][0]["code"] == "too_deep"
    assert client.post(url, {"input": {"a": [0] * 20_000}}).json()["errors"][0]["code"] == "too_large"
    assert client.post(url, {"input": {"a": 1e30}}).json()["errors"][0]["code"] == "invalid_number"


def test_the_same_key_starts_one_execution(
    make_workflow: MakeWorkflow, workers: Workers, client: Any
) -> None:
    url = f"/api/v1/workflows/{make_workflow().pk}/executions"
    headers = {"Idempotency-Key": "one"}
    first, second = client.post(url, {}, headers=headers), client.post(url, {}, headers=headers)
    assert first.json() == second.json()
    assert second["Location"] == first["Location"]
    assert second["Idempotent-Replayed"] == "true"
    assert Execution.objects.count() == 1


def test_a_queued_execution_is_cancelled_at_once(
    make_workflow: MakeWorkflow, products: list[Product], workers: Workers, client: Any
) -> None:
    location = start(client, make_workflow(select(), publish("pick")))
    answer = client.post(f"{location}/cancel")
    assert answer.status_code == 202
    assert answer.json()["status"] == "cancelled"
    workers.work()
    assert states(client.get(location).json()) == {"pick": "cancelled", "publish": "cancelled"}
    assert not Product.objects.filter(status="active").exists()
    answer = client.post(f"{location}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "execution_finished")


def test_a_waiting_execution_is_cancelled_and_what_is_done_stays(
    make_workflow: MakeWorkflow, products: list[Product], workers: Workers, client: Any
) -> None:
    location = start(client, make_workflow(select(), gate("pick")))
    workers.work()
    execution = client.post(f"{location}/cancel").json()
    assert execution["status"] == "cancelled"
    assert states(execution) == {"pick": "succeeded", "gate": "cancelled"}


def test_a_running_step_ends_and_then_the_execution_is_cancelled(
    make_workflow: MakeWorkflow, workers: Workers, client: Any
) -> None:
    location = start(client, make_workflow(select(), gate("pick")))
    advance(location.rpartition("/")[2])
    step = step_services.claim(StepRun.objects.get(step_id="pick"))
    assert step is not None
    assert client.post(f"{location}/cancel").json()["status"] == "running"
    step_services._attempt(step)
    advance(step.execution_id)
    execution = client.get(location).json()
    assert execution["status"] == "cancelled"
    assert states(execution) == {"pick": "succeeded", "gate": "cancelled"}


def test_cancelling_cancels_the_job_and_a_retry_takes_it_up(
    make_workflow: MakeWorkflow,
    taxonomy: Taxonomy,
    products: list[Product],
    workers: Workers,
    client: Any,
) -> None:
    location = start(client, make_workflow(select(), CLASSIFY, publish("classify")))
    execution_id = location.rpartition("/")[2]
    for step_id in ("pick", "classify"):
        advance(execution_id)
        step_services.run_step(StepRun.objects.get(step_id=step_id).pk)
    workers.lose_messages()
    assert Job.objects.get().status == "queued"
    assert client.post(f"{location}/cancel").status_code == 202
    assert Job.objects.get().status == "cancelled"
    execution = client.get(location).json()
    assert execution["status"] == "cancelled"
    assert states(execution) == {"pick": "succeeded", "classify": "cancelled", "publish": "cancelled"}
    assert client.post(f"{location}/retry").json()["status"] == "queued"
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "succeeded"
    assert Job.objects.get().status == "succeeded"
    assert execution["steps"][1]["output"]["total"] == 3


def test_a_job_cancelled_by_itself_cancels_its_step_and_the_execution(
    make_workflow: MakeWorkflow,
    taxonomy: Taxonomy,
    products: list[Product],
    workers: Workers,
    client: Any,
) -> None:
    location = start(client, make_workflow(select(), CLASSIFY, publish("classify")))
    execution_id = location.rpartition("/")[2]
    for step_id in ("pick", "classify"):
        advance(execution_id)
        step_services.run_step(StepRun.objects.get(step_id=step_id).pk)
    assert client.post(f"/api/v1/jobs/{Job.objects.get().pk}/cancel").status_code == 202
    execution = client.get(location).json()
    assert execution["status"] == "cancelled"
    assert states(execution) == {"pick": "succeeded", "classify": "cancelled", "publish": "skipped"}


def test_a_retry_takes_up_what_failed_and_never_what_succeeded(
    make_workflow: MakeWorkflow, products: list[Product], workers: Workers, client: Any
) -> None:
    set_category = {"set": {"category_id": 4711}}
    steps = select(), publish("pick", **{"with": set_category}), gate("publish")
    location = start(client, make_workflow(*steps))
    workers.work()
    execution = client.get(location).json()
    assert states(execution) == {"pick": "succeeded", "publish": "failed", "gate": "skipped"}
    assert "4711" in execution["steps"][1]["error"]
    Product.objects.create(sku="late", name="Came later")
    answer = client.post(f"{location}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert states(answer.json()) == {"pick": "succeeded", "publish": "queued", "gate": "queued"}
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "failed"
    assert execution["steps"][0]["output"]["count"] == 3


def test_an_execution_that_succeeded_or_still_runs_cannot_be_retried(
    make_workflow: MakeWorkflow, workers: Workers, client: Any
) -> None:
    location = start(client, make_workflow())
    for _ in range(2):
        answer = client.post(f"{location}/retry")
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_retry")
        workers.work()


@pytest.mark.parametrize("action", ["cancel", "retry", "steps/gate/approve"])
def test_what_does_not_exist_cannot_be_steered(action: str, reviewer: User, client_of: ClientOf) -> None:
    url = f"/api/v1/executions/7d1f0a52-3f6e-4a0e-9d2b-6f1c2b3a4d5e/{action}"
    assert client_of(reviewer).post(url).status_code == 404


def test_a_step_id_that_none_can_have_is_not_found(
    make_workflow: MakeWorkflow, workers: Workers, reviewer: User, client_of: ClientOf
) -> None:
    client = client_of(reviewer)
    location = start(client, make_workflow(gate()))
    assert client.post(f"{location}/steps/ga%00te/approve").status_code == 404
