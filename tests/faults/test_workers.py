"""Work survives whoever does it: killed workers, lost messages, no workers at all."""

from typing import Any

import pytest

from tests.faults.conftest import Nexus, eventually, kill

ITEMS = 10_000
LONG_S = 60.0


@pytest.fixture
def token(nexus: Nexus) -> str:
    return nexus.sign_in()


def submit(nexus: Nexus, token: str, number: int) -> str:
    items = [{"name": f"{position}V cordless hammer drill"} for position in range(number)]
    answer = nexus.call(
        "POST", "/api/v1/classify/batch", {"items": items, "taxonomy": "nexus-hardware"}, token
    )
    assert answer.status == 202, answer
    return str(answer.body["job_id"])


def job(nexus: Nexus, token: str, job_id: str) -> dict[str, Any]:
    body: dict[str, Any] = nexus.call("GET", f"/api/v1/jobs/{job_id}", token=token).body
    return body


def test_a_batch_of_10_000_survives_the_death_of_its_worker_with_one_result_for_each_item(
    nexus: Nexus, token: str
) -> None:
    job_id = submit(nexus, token, ITEMS)
    assert job(nexus, token, job_id)["status"] == "queued", "without workers a job waits"
    worker = nexus.start_worker()
    eventually(lambda: job(nexus, token, job_id)["processed"] > 0, LONG_S)
    kill(worker)
    died = job(nexus, token, job_id)
    assert (died["status"], died["processed"] < ITEMS) == ("running", True)
    nexus.some_seconds_later()
    worker = nexus.start_worker()
    try:
        eventually(lambda: job(nexus, token, job_id)["status"] not in {"queued", "running"}, LONG_S)
    finally:
        kill(worker)
    ended = job(nexus, token, job_id)
    assert (ended["status"], ended["processed"], ended["succeeded"]) == ("succeeded", ITEMS, ITEMS)
    results = "SELECT count(*), count(DISTINCT position), max(position) FROM classification_classification"
    assert nexus.rows(f"{results} WHERE job_id = %s", job_id) == [(ITEMS, ITEMS, ITEMS - 1)]


def test_a_message_that_is_lost_costs_time_and_nothing_else(nexus: Nexus, token: str) -> None:
    job_id = submit(nexus, token, 3)
    # What is in memory only goes with its process, and every message with it.
    nexus.redis.stop()
    nexus.redis.start()
    nexus.some_seconds_later()
    worker = nexus.start_worker()
    try:
        eventually(lambda: job(nexus, token, job_id)["status"] == "succeeded", LONG_S)
    finally:
        kill(worker)


def test_a_worker_outlives_its_broker_and_its_database(nexus: Nexus, token: str) -> None:
    worker = nexus.start_worker()
    try:
        first = submit(nexus, token, 3)
        eventually(lambda: job(nexus, token, first)["status"] == "succeeded", LONG_S)
        for service in (nexus.redis, nexus.postgres):
            service.stop()
            service.start()
        eventually(lambda: nexus.status_of("/health") == 200)
        second = submit(nexus, token, 3)
        eventually(lambda: job(nexus, token, second)["status"] == "succeeded", LONG_S)
        assert worker.poll() is None
    finally:
        kill(worker)
