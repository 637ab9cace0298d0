"""An execution survives the death of any process, and the loss of any message."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Product, Taxonomy
from workflows.models import Execution, StepRun
from workflows.services import steps as step_services
from workflows.services.executions import advance
from workflows.services.recovery import recover
from workflows.steps.base import Done, Task
from workflows.steps.products_update import UpdateProducts
from workflows.tests.conftest import MakeWorkflow, Workers, gate, publish, select, start, states

CLASSIFY = {"id": "classify", "uses": "classification.classify", "needs": ["pick"]}


@pytest.fixture
def run_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Have something happen once a worker has changed the products, and before it has said so."""

    def arrange(happening: Callable[[], None]) -> None:
        run = UpdateProducts.run

        def interrupted(self: UpdateProducts, inputs: Any, task: Task) -> Done:
            done = run(self, inputs, task)
            monkeypatch.undo()
            happening()
            return done

        monkeypatch.setattr(UpdateProducts, "run", interrupted)

    return arrange


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def die() -> None:
    raise Killed


def let_leases_expire() -> None:
    past = timezone.now() - timedelta(seconds=1)
    StepRun.objects.filter(leased_until__isnull=False).update(leased_until=past)
    Execution.objects.update(created_at=past - timedelta(minutes=1))


def test_a_step_whose_worker_died_in_the_middle_is_run_again_and_finished_ones_are_not(
    make_workflow: MakeWorkflow,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
    run_in_the_middle: Callable[[Callable[[], None]], None],
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(), publish("pick")))
    run_in_the_middle(die)
    with pytest.raises(Killed):
        workers.work()
    assert states(client.get(location).json()) == {"pick": "succeeded", "publish": "running"}
    assert not Product.objects.filter(status="active").exists()
    let_leases_expire()
    recover()
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "succeeded"
    pick, done = execution["steps"]
    assert (pick["attempts"], pick["interruptions"]) == (1, 0)
    assert (done["attempts"], done["interruptions"]) == (2, 1)
    assert done["output"]["changed"] == 3


def test_a_worker_that_comes_back_after_its_step_was_taken_changes_nothing(
    make_workflow: MakeWorkflow,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
    run_in_the_middle: Callable[[Callable[[], None]], None],
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(), publish("pick")))

    def somebody_else_takes_the_step() -> None:
        StepRun.objects.filter(step_id="publish").update(leased_by="another worker")

    run_in_the_middle(somebody_else_takes_the_step)
    workers.work()
    execution = client.get(location).json()
    assert states(execution)["publish"] == "running"
    assert not Product.objects.filter(status="active").exists()


def test_a_step_that_kills_its_workers_is_given_up_at_the_third_time(
    make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select()))
    advance(location.rpartition("/")[2])
    for _ in range(step_services.MAX_INTERRUPTIONS):
        step = StepRun.objects.get()
        assert step_services.claim(step) is not None
        let_leases_expire()
        recover()
    execution = client.get(location).json()
    assert execution["status"] == "failed"
    assert "died" in execution["steps"][0]["error"]


def test_of_two_workers_that_claim_a_step_one_wins(
    make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf
) -> None:
    start(client_of(editor), make_workflow(select()))
    first, second = StepRun.objects.get(), StepRun.objects.get()
    assert step_services.claim(first) is not None
    assert step_services.claim(second) is None
    assert StepRun.objects.get().attempts == 1


def test_of_two_workers_that_run_a_step_at_once_one_runs_it(
    make_workflow: MakeWorkflow, products: list[Product], workers: Workers, editor: User, client_of: ClientOf
) -> None:
    location = start(client_of(editor), make_workflow(select()))
    advance(location.rpartition("/")[2])
    step = StepRun.objects.get()
    together = Barrier(2)

    def run(_: int) -> bool:
        try:
            together.wait()
            return step_services.run_step(step.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, range(2))) == [False, True]
    step.refresh_from_db()
    assert (step.status, step.attempts) == ("succeeded", 1)


def test_lost_messages_cost_time_and_nothing_else(
    make_workflow: MakeWorkflow,
    taxonomy: Taxonomy,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(), CLASSIFY, publish("classify")))
    for _ in range(6):
        workers.lose_messages()
        let_leases_expire()
        Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
        recover()
        workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "succeeded"
    assert [step["attempts"] for step in execution["steps"]] == [1, 1, 1]


def test_a_job_whose_end_nobody_told_is_collected(
    make_workflow: MakeWorkflow,
    taxonomy: Taxonomy,
    products: list[Product],
    workers: Workers,
    editor: User,
    client_of: ClientOf,
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select(), CLASSIFY))
    workers.work()
    # As if the process had died between the end of the job and the end of the step.
    StepRun.objects.filter(step_id="classify").update(status="running", output=None, finished_at=None)
    Execution.objects.update(status="running", finished_at=None)
    recover()
    execution = client.get(location).json()
    assert execution["status"] == "succeeded"
    assert execution["steps"][1]["output"]["total"] == 3


@pytest.mark.parametrize(("backoff_s", "delayed"), [(5, ["workflows.run_step"]), (60, [])])
def test_a_failed_attempt_is_followed_by_another_after_its_delay(
    make_workflow: MakeWorkflow,
    workers: Workers,
    editor: User,
    client_of: ClientOf,
    backoff_s: int,
    delayed: list[str],
) -> None:
    client = client_of(editor)
    step = CLASSIFY | {"retry": {"max_attempts": 2, "backoff_s": backoff_s}}
    location = start(client, make_workflow(select(), step, on={"manual": {}}))
    Product.objects.bulk_create([Product(sku="A", name="Hammer drill")])
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "running"
    assert states(execution)["classify"] == "queued"
    assert execution["steps"][1]["retry_at"] is not None
    assert execution["steps"][1]["error"]
    let_leases_expire()
    recover()
    assert workers.work() == []
    assert set(workers.delayed) == set(delayed)
    StepRun.objects.filter(step_id="classify").update(retry_at=timezone.now())
    let_leases_expire()
    recover()
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "failed"
    assert execution["steps"][1]["attempts"] == 2


def test_a_step_over_its_time_fails(
    make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select() | {"timeout_s": 30}))
    advance(location.rpartition("/")[2])
    assert step_services.claim(StepRun.objects.get()) is not None
    StepRun.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    let_leases_expire()
    recover()
    execution = client.get(location).json()
    assert execution["status"] == "failed"
    assert "30 seconds" in execution["steps"][0]["error"]


def test_an_approval_is_waited_for_as_long_as_it_takes(
    make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(gate(timeout_s=1)))
    workers.work()
    StepRun.objects.update(started_at=timezone.now() - timedelta(days=30))
    let_leases_expire()
    recover()
    assert client.get(location).json()["status"] == "waiting"


def test_a_step_of_a_kind_that_is_gone_fails_and_says_so(
    make_workflow: MakeWorkflow, workers: Workers, editor: User, client_of: ClientOf
) -> None:
    client = client_of(editor)
    location = start(client, make_workflow(select()))
    StepRun.objects.update(uses="products.teleport")
    workers.work()
    execution = client.get(location).json()
    assert execution["status"] == "failed"
    assert "products.teleport" in execution["error"]
