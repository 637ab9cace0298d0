"""What each kind of step does with its inputs."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from accounts.models import User
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Category, Product, Taxonomy
from workflows.models import Execution, StepRun
from workflows.steps import registry
from workflows.tests.conftest import MakeWorkflow, Workers, gate, publish, select, start


@pytest.fixture
def run(make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf) -> Any:
    """Run a workflow of some steps, and return its steps by id as the API shows them."""

    def run_steps(*steps: dict[str, Any], **body: Any) -> dict[str, dict[str, Any]]:
        client = client_of(editor)
        location = start(client, make_workflow(*steps), **body)
        workers.work()
        return {step["id"]: step for step in client.get(location).json()["steps"]}

    return run_steps


@pytest.fixture(autouse=True)
def outputs_keep_their_schema(db: None) -> Any:
    """Whatever a test does: each output is as its kind promises."""
    yield
    for step in StepRun.objects.exclude(output=None):
        kind = registry.get(step.uses)
        assert kind is not None
        Draft202012Validator(kind.output_schema).validate(step.output)


def test_a_selection_takes_the_first_up_to_its_limit_and_says_how_many_there_are(
    run: Any, products: list[Product]
) -> None:
    step = {"id": "pick", "uses": "products.select", "with": {"filter": {}, "limit": 2}}
    ids = [product.pk for product in products[:2]]
    assert run(step)["pick"]["output"] == {"product_ids": ids, "count": 2, "total": 3}


def test_a_filter_takes_json_values_and_expressions(run: Any, products: list[Product]) -> None:
    Product.objects.filter(pk=products[0].pk).update(manufacturer="Makita", status="active")
    step = select(category__isnull=True, manufacturer="${{ input.maker }}")
    output = run(step, input={"maker": "makita"})["pick"]["output"]
    assert output["product_ids"] == [products[0].pk]


def test_an_input_that_does_not_fit_fails_at_once_whatever_the_retries(run: Any) -> None:
    step = select(manufacturer="${{ input.maker }}") | {"retry": {"max_attempts": 5}}
    failed = run(step)["pick"]
    assert (failed["status"], failed["attempts"]) == ("failed", 1)
    assert "/filter/manufacturer" in failed["error"]


def test_an_update_takes_the_products_of_the_nearest_step_that_has_any(
    run: Any, products: list[Product]
) -> None:
    few = {"id": "few", "uses": "products.select", "needs": ["all"], "with": {"filter": {}, "limit": 1}}
    never = gate("few", **{"if": "false"})
    output = run(select("all"), few, never, publish("gate"))["publish"]["output"]
    assert output["product_ids"] == [products[0].pk]


def test_an_update_without_any_products_fails_and_says_why(run: Any) -> None:
    failed = run(publish())["publish"]
    assert failed["status"] == "failed"
    assert "name them in 'products'" in failed["error"]


def test_an_update_passes_over_what_is_gone_and_counts_what_changed(
    run: Any, products: list[Product]
) -> None:
    Product.objects.filter(pk=products[0].pk).update(status="active")
    ids = [product.pk for product in products[:2]]
    step = publish(**{"with": {"products": [*ids, 999_999, ids[0]], "set": {"status": "active"}}})
    assert run(step)["publish"]["output"] == {"product_ids": ids, "count": 2, "changed": 1}


def test_an_update_sets_a_category_that_a_user_chose(
    run: Any, taxonomy: Taxonomy, products: list[Product]
) -> None:
    category = Category.objects.earliest("pk")
    step = publish("pick", **{"with": {"set": {"category_id": category.pk, "manufacturer": "Makita"}}})
    run(select(), step)
    found = set(Product.objects.values_list("category_id", "category_source", "manufacturer"))
    assert found == {(category.pk, "manual", "Makita")}


def test_a_category_that_does_not_exist_changes_nothing(run: Any, products: list[Product]) -> None:
    step = publish("pick", **{"with": {"set": {"status": "active", "category_id": 4711}}})
    assert run(select(), step)["publish"]["status"] == "failed"
    assert not Product.objects.filter(status="active").exists()


def test_nothing_to_classify_needs_no_job(run: Any, taxonomy: Taxonomy) -> None:
    step = {"id": "classify", "uses": "classification.classify", "with": {"products": []}}
    done = run(step)["classify"]
    assert (done["status"], done["job"]) == ("succeeded", None)
    assert done["output"]["total"] == 0


def test_all_products_of_a_filter_are_classified(
    run: Any, taxonomy: Taxonomy, products: list[Product]
) -> None:
    inputs = {"filter": {"search": "hammer"}, "taxonomy": "shop", "apply": False}
    output = run({"id": "classify", "uses": "classification.classify", "with": inputs})["classify"]["output"]
    assert output["product_ids"] == [products[0].pk, products[1].pk]
    assert Job.objects.get().reason == (
        "Classification of the products with search=hammer,"
        f" as a step of the execution {Execution.objects.get().pk}."
    )
    assert not Product.objects.exclude(category=None).exists()


def test_a_category_that_a_person_chose_is_not_overwritten_by_a_step(
    run: Any, taxonomy: Taxonomy, products: list[Product]
) -> None:
    other = Category.objects.filter(taxonomy=taxonomy).latest("pk")
    Product.objects.update(category=other, category_source="manual")
    run({"id": "classify", "uses": "classification.classify", "with": {"filter": {}, "apply": True}})
    assert set(Product.objects.values_list("category", "category_source")) == {(other.pk, "manual")}


def test_a_taxonomy_that_does_not_exist_fails_the_step(run: Any, products: list[Product]) -> None:
    inputs = {"filter": {}, "taxonomy": "nothing"}
    failed = run({"id": "classify", "uses": "classification.classify", "with": inputs})["classify"]
    assert failed["status"] == "failed"
    assert "nothing" in failed["error"]


def test_a_product_that_is_gone_is_counted_as_failed(
    run: Any, taxonomy: Taxonomy, products: list[Product]
) -> None:
    inputs = {"products": [products[0].pk, 999_999]}
    output = run({"id": "classify", "uses": "classification.classify", "with": inputs})["classify"]["output"]
    assert (output["total"], output["failed"]) == (2, 1)
    assert output["product_ids"] == [products[0].pk]


def test_products_and_filter_together_are_refused(administrator: User, client_of: ClientOf) -> None:
    step = {"id": "c", "uses": "classification.classify", "with": {"products": [1], "filter": {}}}
    body = {"name": "Both", "definition": {"on": {"manual": {}}, "steps": [step]}}
    answer = client_of(administrator).post("/api/v1/workflows", body)
    assert answer.json()["errors"][0]["pointer"] == "/definition/steps/0/with"


def test_an_unexpected_fault_tells_nothing_of_the_server(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any) -> None:
        raise RuntimeError("/etc/secret is not readable")

    monkeypatch.setattr("workflows.steps.products_select.selected_products", fault)
    assert run(select())["pick"]["error"] == "Something went wrong on the server (RuntimeError)."
