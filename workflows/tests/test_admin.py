"""Workflows, executions and approvals on the admin site, and what its pages cost."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from products.models import Product
from workflows.models import Execution, StepRun, Workflow
from workflows.services.executions import start
from workflows.tests.conftest import MakeWorkflow, Workers, definition, gate, publish, select

WORKFLOWS = "/admin/workflows/workflow/"
EXECUTIONS = "/admin/workflows/execution/"
STEPS = "/admin/workflows/steprun/"
# Session, user and groups, the filters of the page, the rows and what belongs to them.
BUDGET = 12


@pytest.fixture
def staff(administrator: User) -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(administrator)
    return client


def act(client: Client, url: str, action: str, *rows: Any) -> Any:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(url, body, follow=True)


def form(**fields: Any) -> dict[str, Any]:
    inline = {f"versions-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    return {"name": "Nightly", "description": "", "enabled": "on", **inline, **fields}


def test_a_workflow_is_written_through_the_same_rules(staff: Client) -> None:
    body = form(definition=json.dumps(definition(select())))
    assert staff.post(f"{WORKFLOWS}add/", body).status_code == 302
    workflow = Workflow.objects.get()
    assert workflow.versions.get().definition == definition(select())
    body = form(definition=json.dumps(definition(select("other"))))
    assert staff.post(f"{WORKFLOWS}{workflow.pk}/change/", body).status_code == 302
    workflow.refresh_from_db()
    assert (workflow.version, workflow.versions.count()) == (2, 2)


def test_every_fault_of_a_definition_is_shown_on_the_form(staff: Client) -> None:
    faulty = definition({"id": "a", "uses": "products.teleport"}, publish("nobody"))
    page = staff.post(f"{WORKFLOWS}add/", form(definition=json.dumps(faulty))).content.decode()
    assert "/steps/0/uses" in page
    assert "/steps/1/needs/0" in page
    assert not Workflow.objects.exists()


def test_a_name_that_is_taken_is_refused_on_the_form(staff: Client, make_workflow: MakeWorkflow) -> None:
    make_workflow(name="Nightly")
    page = staff.post(f"{WORKFLOWS}add/", form(definition=json.dumps(definition(select()))))
    assert "Another workflow has this name." in page.content.decode()


def test_workflows_are_started_and_archived(
    staff: Client, make_workflow: MakeWorkflow, administrator: User
) -> None:
    workflow, other = make_workflow(), make_workflow(enabled=False)
    page = act(staff, WORKFLOWS, "run_now", workflow, other)
    assert "1 started" in page.content.decode()
    assert "disabled" in page.content.decode()
    assert Execution.objects.get().started_by == administrator
    page = act(staff, WORKFLOWS, "archive", workflow, other)
    assert "1 archived" in page.content.decode()
    assert Workflow.objects.live().get() == workflow


def test_executions_are_cancelled_and_retried(staff: Client, make_workflow: MakeWorkflow) -> None:
    execution = start(workflow_id=make_workflow().pk)
    act(staff, EXECUTIONS, "cancel_executions", execution)
    execution.refresh_from_db()
    assert execution.status == "cancelled"
    act(staff, EXECUTIONS, "retry_executions", execution)
    execution.refresh_from_db()
    assert execution.status == "queued"
    assert "nothing of it failed" in act(staff, EXECUTIONS, "retry_executions", execution).content.decode()


def test_what_waits_for_an_approval_is_seen_and_decided(
    staff: Client, make_workflow: MakeWorkflow, workers: Workers
) -> None:
    start(workflow_id=make_workflow(gate(), name="Asks first").pk)
    workers.work()
    assert "Asks first" in staff.get(f"{STEPS}?approval=open").content.decode()
    step = StepRun.objects.get()
    act(staff, STEPS, "approve", step)
    step.refresh_from_db()
    assert step.status == "succeeded"
    assert "already" in act(staff, STEPS, "reject", step).content.decode()


def test_executions_and_steps_are_only_read(staff: Client, make_workflow: MakeWorkflow) -> None:
    execution = start(workflow_id=make_workflow().pk)
    step = execution.steps.get()
    for url in (f"{EXECUTIONS}add/", f"{STEPS}add/", f"{EXECUTIONS}{execution.pk}/delete/"):
        assert staff.get(url).status_code == 403
    staff.post(f"{STEPS}{step.pk}/change/", {"status": "succeeded"})
    step.refresh_from_db()
    assert step.status == "queued"


def test_long_outputs_are_cut(staff: Client, make_workflow: MakeWorkflow, workers: Workers) -> None:
    Product.objects.bulk_create(Product(sku=f"P-{n}", name="Screw") for n in range(3000))
    execution = start(workflow_id=make_workflow().pk)
    workers.work()
    page = staff.get(f"{STEPS}{execution.steps.get().pk}/change/")
    assert page.status_code == 200
    assert len(page.content) < 50_000


@pytest.mark.parametrize("page", [WORKFLOWS, EXECUTIONS, STEPS, "/admin/workflows/workflowversion/"])
def test_a_page_costs_the_same_however_many_rows_there_are(
    page: str, staff: Client, make_workflow: MakeWorkflow
) -> None:
    def queries(url: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(url).status_code == 200
        return [query["sql"] for query in captured]

    start(workflow_id=make_workflow(select(), gate("pick")).pk)
    first = len(queries(page))
    for _ in range(20):
        start(workflow_id=make_workflow(select(), gate("pick")).pk)
    statements = queries(page)
    assert len(statements) == first <= BUDGET
    # Every count stops at a bound.
    assert all("LIMIT" in sql for sql in statements if "COUNT(" in sql)
    assert queries(f"{page}?q=x")


def test_a_single_execution_stays_within_its_budget(staff: Client, make_workflow: MakeWorkflow) -> None:
    execution = start(workflow_id=make_workflow(*(select(f"s{n}") for n in range(30))).pk)
    workflow = execution.workflow_id
    for url in (f"{EXECUTIONS}{execution.pk}/change/", f"{WORKFLOWS}{workflow}/change/"):
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(url).status_code == 200
        assert len(captured) <= 20
