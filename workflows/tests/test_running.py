"""An execution from its start to its end."""

from django.apps import apps

from accounts.models import User
from conftest import ClientOf
from nexus.jobs.messages import send_task
from products.models import Product, Taxonomy
from workflows.models import StepRun
from workflows.tests.conftest import MakeWorkflow, Workers, definition, gate, publish, select, start, states


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


def test_an_execution_keeps_the_definition_it_began_with(
    make_workflow: MakeWorkflow,
    workers: Workers,
    administrator: User,
    client_of: ClientOf,
) -> None:
    client = client_of(administrator)
    workflow = make_workflow(select())
    location = start(client, workflow)
    changed = definition(select("other"))
    assert client.patch(f"/api/v1/workflows/{workflow.pk}", {"definition": changed}).status_code == 200
    workers.work()
    execution = client.get(location).json()
    assert (execution["status"], execution["version"]) == ("succeeded", 1)
    assert execution["definition"]["steps"][0]["id"] == "pick"


def test_what_a_step_changes_is_kept_in_the_history_in_the_name_of_who_started_it(
    make_workflow: MakeWorkflow,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(), publish("pick")))
    workers.work()
    event = client.get(f"/api/v1/products/{products[0].pk}/history").json()["results"][0]
    assert event["source"] == "workflow"
    assert event["user"]["id"] == editor.pk
    events = apps.get_model("products", "ProductEvent").objects.filter(pgh_obj_id=products[0].pk)
    assert events.latest("pgh_id").pgh_context["execution"] in location


def test_a_step_whose_condition_does_not_hold_is_skipped_and_the_next_goes_on(
    make_workflow: MakeWorkflow,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> None:
    client = client_of(editor)
    waits = gate("pick", **{"if": "steps.pick.output.count > 100"})
    location = start(client, make_workflow(select(), waits, publish("gate")))
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "succeeded"
    assert states(execution) == {"pick": "succeeded", "gate": "skipped", "publish": "succeeded"}


def test_what_needs_a_failed_step_is_skipped_and_the_reason_is_told(
    make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(category=999), publish("pick")))
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "failed"
    assert states(execution) == {"pick": "failed", "publish": "skipped"}
    assert "/filter/category" in execution["steps"][0]["error"]
    assert execution["error"].startswith("pick: ")


def test_a_message_that_comes_twice_changes_nothing_more(
    make_workflow: MakeWorkflow,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(), publish("pick")))
    workers.work()
    before = client.get(location).json()
    for step in StepRun.objects.all():
        send_task("workflows.run_step", step.pk)
        send_task("workflows.advance_execution", str(step.execution_id))
    workers.work()
    assert client.get(location).json() == before
