"""An execution from its start to its end."""

from typing import Any

from accounts.models import User
from conftest import ClientOf
from products.models import Product, Taxonomy
from workflows.tests.conftest import MakeWorkflow, Workers, gate, publish, select


def start(client: Any, workflow: Any, **body: Any) -> str:
    answer = client.post(f"/api/v1/workflows/{workflow.pk}/executions", body)
    assert answer.status_code == 202, answer.content
    return str(answer["Location"])


def states(execution: dict[str, Any]) -> dict[str, str]:
    return {step["id"]: step["status"] for step in execution["steps"]}


def test_a_started_execution_is_queued_and_says_where_it_can_be_watched(
    make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf
) -> None:
    client = client_of(editor)
    workflow = make_workflow(select(), publish("pick"))
    location = start(client, workflow, input={"reason": "test"})
    execution = client.get(location).json()
    assert execution["status"] == "queued"
    assert execution["input"] == {"reason": "test"}
    assert execution["started_by"] == editor.pk
    assert states(execution) == {"pick": "queued", "publish": "queued"}


def test_the_steps_run_one_after_the_other_and_change_products(
    make_workflow: MakeWorkflow,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(status="draft"), publish("pick")))
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "succeeded"
    pick, done = execution["steps"]
    ids = [product.pk for product in products]
    assert pick["output"] == {"product_ids": ids, "count": 3, "total": 3}
    assert done["output"] == {"product_ids": ids, "count": 3, "changed": 3}
    assert [step["attempts"] for step in execution["steps"]] == [1, 1]
    assert all(step["started_at"] <= step["finished_at"] for step in execution["steps"])
    assert set(Product.objects.values_list("status", flat=True)) == {"active"}


def test_products_are_classified_by_a_job_that_the_step_waits_for(
    make_workflow: MakeWorkflow,
    taxonomy: Taxonomy,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> None:
    client = client_of(editor)
    classify = {"id": "classify", "uses": "classification.classify", "needs": ["pick"]}
    waits = gate("classify", **{"if": "steps.classify.output.needs_review > 0"})
    location = start(client, make_workflow(select(category__isnull=True), classify, waits, publish("gate")))
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "waiting"
    step = execution["steps"][1]
    assert step["job"] == step["output"]["job_id"]
    assert client.get(f"/api/v1/jobs/{step['job']}").json()["status"] == "succeeded"
    output = step["output"]
    assert output["total"] == 3
    assert output["auto_accepted"] + output["needs_review"] == 3
    assert output["needs_review"] >= 1
    assert len(output["accepted_product_ids"]) == output["auto_accepted"]
    assert output["product_ids"] == [product.pk for product in products]
