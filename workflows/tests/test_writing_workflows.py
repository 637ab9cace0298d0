"""``/api/v1/workflows``: create, read, change, archive."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import User
from conftest import ClientOf
from workflows.engine.tests.kinds import contract_example
from workflows.models import Workflow, WorkflowVersion
from workflows.tests.conftest import MakeWorkflow, definition, gate, publish, select

URL = "/api/v1/workflows"


@pytest.fixture
def client(administrator: User, client_of: ClientOf) -> Any:
    """A client of an administrator."""
    return client_of(administrator)


def test_an_administrator_creates_the_workflow_of_the_contract(client: Any, administrator: User) -> None:
    body = {"name": "Classify new products", "description": "…", "definition": contract_example()}
    answer = client.post(URL, body)
    assert answer.status_code == 201, answer.content
    created = answer.json()
    assert answer["Location"].endswith(f"{URL}/{created['id']}")
    assert created["definition"] == contract_example()
    assert (created["version"], created["enabled"]) == (1, True)
    assert created["created_by"] == administrator.pk
    assert client.get(f"{URL}/{created['id']}").json() == created


@pytest.mark.parametrize("role", ["viewer", "editor", "reviewer"])
def test_others_may_read_workflows_and_not_write_them(
    role: str, make_workflow: MakeWorkflow, client_of: ClientOf, request: pytest.FixtureRequest
) -> None:
    client: Any = client_of(request.getfixturevalue(role))
    workflow = make_workflow()
    one = f"{URL}/{workflow.pk}"
    assert client.get(URL).json()["count"] == 1
    assert client.get(one).status_code == 200
    body = {"name": "Mine", "definition": definition(select())}
    assert client.post(URL, body).status_code == 403
    assert client.put(one, body).status_code == 403
    assert client.patch(one, {"enabled": False}).status_code == 403
    assert client.delete(one).status_code == 403


def test_a_stranger_may_not_even_read(stranger: User, client_of: ClientOf) -> None:
    assert client_of(stranger).get(URL).json()["code"] == "no_role"


def test_every_fault_of_a_definition_is_named_with_its_place(client: Any) -> None:
    faulty = definition(
        {"id": "a", "uses": "products.teleport"},
        {"id": "b", "uses": "products.update", "needs": ["nobody"], "with": {}},
        {"id": "c", "uses": "approval", "if": "1 +"},
        select("d", colour="red"),
        {"id": "e", "uses": "http.post", "with": {"url": "file:///etc/passwd"}},
        on={"schedule": {"cron": "every day"}},
    )
    answer = client.post(URL, {"name": "Faulty", "definition": faulty})
    assert answer.status_code == 400
    found = {(error["pointer"], error["code"]) for error in answer.json()["errors"]}
    assert found == {
        ("/definition/on/schedule/cron", "invalid_cron"),
        ("/definition/steps/0/uses", "unknown_step_kind"),
        ("/definition/steps/1/needs/0", "unknown_need"),
        ("/definition/steps/1/with/set", "required"),
        ("/definition/steps/2/if", "invalid_expression"),
        ("/definition/steps/3/with/filter/colour", "unknown_field"),
        ("/definition/steps/4/with/url", "invalid"),
    }
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("bad", [None, 1, "text", [], {}, {"on": 1, "steps": {}}, {"steps": [None]}])
def test_a_definition_of_any_other_form_is_refused(bad: Any, client: Any) -> None:
    answer = client.post(URL, {"name": "Bad", "definition": bad})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith("/definition")


def test_steps_that_wait_for_one_another_are_refused(client: Any) -> None:
    circle = definition(gate("publish"), publish("gate"))
    answer = client.post(URL, {"name": "Circle", "definition": circle})
    assert "cycle" in {error["code"] for error in answer.json()["errors"]}


def test_a_name_is_needed_and_taken_only_once(client: Any, make_workflow: MakeWorkflow) -> None:
    body = {"name": "Nightly", "definition": definition(select())}
    assert client.post(URL, {**body, "name": "  "}).status_code == 400
    assert client.post(URL, body).status_code == 201
    answer = client.post(URL, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    other = make_workflow()
    answer = client.patch(f"{URL}/{other.pk}", {"name": "Nightly"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_an_unknown_field_is_named(client: Any) -> None:
    body = {"name": "Nightly", "definition": definition(select()), "colour": "red"}
    assert client.post(URL, body).json()["errors"][0]["pointer"] == "/colour"


def test_each_change_of_the_definition_makes_a_version_and_other_changes_do_not(
    client: Any, make_workflow: MakeWorkflow
) -> None:
    workflow = make_workflow(select())
    one = f"{URL}/{workflow.pk}"
    assert client.patch(one, {"description": "Other words"}).json()["version"] == 1
    assert client.patch(one, {"definition": definition(select())}).json()["version"] == 1
    changed = client.patch(one, {"definition": definition(select("other"))}).json()
    assert changed["version"] == 2
    assert changed["definition"]["steps"][0]["id"] == "other"
    versions = client.get(f"{one}/versions").json()
    assert [version["version"] for version in versions["results"]] == [2, 1]
    assert versions["results"][1]["definition"] == definition(select())


def test_one_and_true_are_not_the_same_definition(client: Any, make_workflow: MakeWorkflow) -> None:
    workflow = make_workflow(select(category=1))
    changed = definition(select(category=True))
    assert client.patch(f"{URL}/{workflow.pk}", {"definition": changed}).json()["version"] == 2


def test_a_whole_workflow_is_replaced(client: Any, make_workflow: MakeWorkflow) -> None:
    workflow = make_workflow(description="Old", enabled=False)
    body = {"name": "Replaced", "definition": definition(select())}
    replaced = client.put(f"{URL}/{workflow.pk}", body).json()
    assert (replaced["name"], replaced["description"], replaced["enabled"]) == ("Replaced", "", True)
    assert client.put(f"{URL}/{workflow.pk}", {"name": "Half"}).status_code == 400


def test_what_was_read_can_be_sent_back(client: Any, make_workflow: MakeWorkflow) -> None:
    one = f"{URL}/{make_workflow().pk}"
    read = client.get(one).json()
    assert client.put(one, read).json() == read


def test_a_change_of_what_has_changed_meanwhile_is_refused(client: Any, make_workflow: MakeWorkflow) -> None:
    one = f"{URL}/{make_workflow().pk}"
    tag = client.get(one)["ETag"]
    assert client.get(one, headers={"If-None-Match": tag}).status_code == 304
    assert client.patch(one, {"enabled": False}, headers={"If-Match": tag}).status_code == 200
    assert client.patch(one, {"enabled": True}, headers={"If-Match": tag}).status_code == 412
    assert client.delete(one, headers={"If-Match": tag}).status_code == 412


def test_the_database_refuses_to_change_or_delete_a_version(make_workflow: MakeWorkflow) -> None:
    make_workflow()
    with pytest.raises(DatabaseError), transaction.atomic():
        WorkflowVersion.objects.update(definition={})
    with pytest.raises(DatabaseError), transaction.atomic():
        WorkflowVersion.objects.all().delete()


def test_an_archived_workflow_is_gone_and_its_versions_and_executions_stay(
    client: Any, make_workflow: MakeWorkflow
) -> None:
    workflow = make_workflow(name="Nightly")
    one = f"{URL}/{workflow.pk}"
    execution = client.post(f"{one}/executions").json()["id"]
    answer = client.delete(one)
    assert (answer.status_code, answer.json()["code"]) == (409, "executions_running")
    assert client.post(f"/api/v1/executions/{execution}/cancel").status_code == 202
    assert client.delete(one).status_code == 204
    assert client.get(URL).json()["count"] == 0
    assert client.get(one).status_code == 404
    assert client.delete(one).status_code == 404
    assert client.post(f"{one}/executions").status_code == 404
    assert client.get(f"{one}/versions").json()["count"] == 1
    assert client.get(f"{one}/executions").json()["count"] == 1
    assert client.get(f"/api/v1/executions/{execution}").json()["workflow_name"] == "Nightly"
    answer = client.post(f"/api/v1/executions/{execution}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "workflow_archived")
    assert client.post(URL, {"name": "Nightly", "definition": definition(select())}).status_code == 201


def test_who_changed_what_is_kept(client: Any, administrator: User, make_workflow: MakeWorkflow) -> None:
    from django.apps import apps

    workflow = make_workflow()
    client.patch(f"{URL}/{workflow.pk}", {"enabled": False}, headers={"X-Request-ID": "the-request"})
    event = apps.get_model("workflows", "WorkflowEvent").objects.latest("pgh_id")
    assert (event.pgh_label, event.enabled) == ("update", False)
    assert event.pgh_context == {"source": "api", "request_id": "the-request", "user": administrator.pk}
