"""Lists of workflows, kinds of steps, versions and executions, and what they cost."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from conftest import ClientOf
from workflows.models import Execution, Workflow
from workflows.services.executions import start
from workflows.tests.conftest import MakeWorkflow, gate, publish, select

URL = "/api/v1/workflows"


@pytest.fixture
def client(editor: User, client_of: ClientOf) -> Any:
    """A client of an editor, whose session is known already."""
    client = client_of(editor)
    client.get("/auth/me")
    return client


def queries(client: Any, path: str) -> int:
    """How many statements reading a path takes."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_workflows_are_found_by_text_and_state_and_ordered(client: Any, make_workflow: MakeWorkflow) -> None:
    make_workflow(name="Nightly classification")
    make_workflow(name="Archive a maker", description="with an approval")
    make_workflow(name="Publish", enabled=False)

    def names(query: str) -> list[str]:
        return [row["name"] for row in client.get(f"{URL}?{query}").json()["results"]]

    assert names("search=nightly") == ["Nightly classification"]
    assert names("search=approval") == ["Archive a maker"]
    assert names("enabled=false") == ["Publish"]
    assert names("ordering=name") == ["Archive a maker", "Nightly classification", "Publish"]
    assert names("ordering=-created_at")[0] == "Publish"


@pytest.mark.parametrize("query", ["colour=red", "enabled=maybe", "ordering=description", "page_size=0"])
def test_what_the_list_does_not_know_is_named(query: str, client: Any) -> None:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"/query/{query.partition('=')[0]}"


def test_pages_follow_one_another(client: Any, make_workflow: MakeWorkflow) -> None:
    for _ in range(5):
        make_workflow()
    page = client.get(f"{URL}?page_size=2").json()
    found = [row["id"] for row in page["results"]]
    while page["next"]:
        page = client.get(page["next"]).json()
        found += [row["id"] for row in page["results"]]
    assert found == list(Workflow.objects.order_by("id").values_list("pk", flat=True))


def test_every_kind_of_step_is_described(client: Any) -> None:
    body = client.get(f"{URL}/step-kinds").json()
    kinds = {kind["uses"]: kind for kind in body["results"]}
    assert set(kinds) == {
        "approval",
        "classification.classify",
        "http.post",
        "products.select",
        "products.update",
    }
    assert body["count"] == 5
    assert kinds["products.select"]["input_schema"]["required"] == ["filter"]
    assert "product_ids" in kinds["products.select"]["output_schema"]["properties"]
    assert client.get(f"{URL}/step-kinds?colour=red").status_code == 400


def test_executions_are_listed_of_one_workflow_and_of_all(client: Any, make_workflow: MakeWorkflow) -> None:
    first, second = make_workflow(), make_workflow()
    for workflow in (first, second, second):
        start(workflow_id=workflow.pk)
    assert client.get(f"{URL}/{second.pk}/executions").json()["count"] == 2
    assert client.get("/api/v1/executions").json()["count"] == 3
    assert client.get(f"/api/v1/executions?workflow={first.pk}&status=queued").json()["count"] == 1
    assert client.get("/api/v1/executions?status=failed").json()["count"] == 0
    assert client.get("/api/v1/executions?status=odd").status_code == 400
    assert client.get(f"{URL}/999/executions").status_code == 404
    assert client.get(f"{URL}/999/versions").status_code == 404


def test_a_list_costs_the_same_however_long_it_is(client: Any, make_workflow: MakeWorkflow) -> None:
    workflow = make_workflow(select(), gate("pick"), publish("gate"))
    start(workflow_id=workflow.pk)
    paths = (URL, "/api/v1/executions", f"{URL}/{workflow.pk}/executions", f"{URL}/{workflow.pk}/versions")
    before = [queries(client, path) for path in paths]
    for _ in range(10):
        start(workflow_id=make_workflow().pk)
        start(workflow_id=workflow.pk)
    assert [queries(client, path) for path in paths] == before
    # A count and a page; of one workflow also whether there is such a one.
    assert before == [2, 2, 3, 3]


def test_a_single_execution_takes_two_statements_and_a_workflow_one(
    client: Any, make_workflow: MakeWorkflow
) -> None:
    workflow = make_workflow(select(), gate("pick"), publish("gate"))
    execution = start(workflow_id=workflow.pk)
    assert queries(client, f"/api/v1/executions/{execution.pk}") == 2
    assert queries(client, f"{URL}/{workflow.pk}") == 1
    assert Execution.objects.count() == 1
