"""``POST /api/v1/executions/{id}/steps/{step}/approve`` and ``/reject``."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from conftest import ClientOf
from products.models import Product
from workflows.tests.conftest import MakeWorkflow, Workers, gate, publish, select, start, states


@pytest.fixture
def waiting(
    make_workflow: MakeWorkflow,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> str:
    """An execution that waits for a reviewer."""
    location = start(client_of(editor), make_workflow(select(), gate("pick"), publish("gate")))
    workers.work()
    return location


def decide(client: Any, execution: str, decision: str = "approve", **body: Any) -> Any:
    return client.post(f"{execution}/steps/gate/{decision}", body)


def test_a_reviewer_approves_and_the_execution_goes_on(
    waiting: str, workers: Workers, reviewer: User, client_of: ClientOf
) -> None:
    client = client_of(reviewer)
    assert client.get(waiting).json()["status"] == "waiting"
    answer = decide(client, waiting, note="Fine.")
    assert answer.status_code == 200
    step = answer.json()["steps"][1]
    assert step["status"] == "succeeded"
    assert (step["decided_by"], step["note"]) == (reviewer.pk, "Fine.")
    assert step["output"] == {"approved": True, "decided_by": reviewer.pk, "note": "Fine."}
    workers.work()
    assert client.get(waiting).json()["status"] == "succeeded"
    assert not Product.objects.exclude(status="active").exists()


def test_a_rejected_step_fails_and_what_needs_it_is_skipped(
    waiting: str, workers: Workers, reviewer: User, client_of: ClientOf
) -> None:
    client = client_of(reviewer)
    execution = decide(client, waiting, "reject", note="Not yet.").json()
    assert execution["status"] == "failed"
    assert states(execution) == {"pick": "succeeded", "gate": "failed", "publish": "skipped"}
    assert "Not yet." in execution["error"]
    assert not Product.objects.filter(status="active").exists()


def test_an_administrator_may_decide_for_a_reviewer(
    waiting: str, administrator: User, client_of: ClientOf
) -> None:
    assert decide(client_of(administrator), waiting).status_code == 200


def test_an_editor_may_not_decide(waiting: str, editor: User, client_of: ClientOf) -> None:
    assert decide(client_of(editor), waiting).status_code == 403


def test_a_reviewer_may_not_decide_for_an_administrator(
    make_workflow: MakeWorkflow, workers: Workers, reviewer: User, client_of: ClientOf
) -> None:
    client = client_of(reviewer)
    location = start(client, make_workflow(gate(**{"with": {"role": "administrator"}})))
    workers.work()
    answer = decide(client, location)
    assert answer.status_code == 403
    assert "administrator" in answer.json()["detail"]


def test_of_two_who_decide_at_once_the_second_is_refused(
    waiting: str, reviewer: User, administrator: User, client_of: ClientOf
) -> None:
    def attempt(client: Any, decision: str) -> int:
        try:
            return int(decide(client, waiting, decision).status_code)
        finally:
            connection.close()

    clients = [client_of(reviewer), client_of(administrator)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(attempt, clients, ["approve", "reject"]))
    assert sorted(answers) == [200, 409]
    late = decide(clients[0], waiting)
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")


def test_a_step_that_has_not_come_so_far_cannot_be_decided(
    make_workflow: MakeWorkflow, workers: Workers, reviewer: User, client_of: ClientOf
) -> None:
    client = client_of(reviewer)
    location = start(client, make_workflow(select(), gate("pick")))
    answer = decide(client, location)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_waiting")


def test_only_approvals_can_be_decided(waiting: str, reviewer: User, client_of: ClientOf) -> None:
    client = client_of(reviewer)
    for step in ("pick", "nothing"):
        answer = client.post(f"{waiting}/steps/{step}/approve")
        assert (answer.status_code, answer.json()["code"]) == (404, "step_not_found")


def test_a_rejected_execution_can_be_retried_and_asks_again(
    waiting: str, workers: Workers, reviewer: User, client_of: ClientOf
) -> None:
    client = client_of(reviewer)
    decide(client, waiting, "reject")
    assert client.post(f"{waiting}/retry").status_code == 202
    workers.work()
    execution = client.get(waiting).json()
    assert execution["status"] == "waiting"
    assert execution["steps"][0]["attempts"] == 1
    assert decide(client, waiting).status_code == 200
