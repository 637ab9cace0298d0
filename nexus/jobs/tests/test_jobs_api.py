"""``/api/v1/jobs``."""

import pytest

from accounts.models import User
from conftest import ClientOf
from nexus.jobs.tests.conftest import Counting, MakeJob, work_off

pytestmark = pytest.mark.django_db


def test_users_see_their_own_jobs(
    make_job: MakeJob, client_of: ClientOf, editor: User, reviewer: User
) -> None:
    mine = make_job(user=editor)
    make_job(user=reviewer)
    body = client_of(editor).get("/api/v1/jobs").json()
    assert [job["id"] for job in body["results"]] == [str(mine.pk)]


def test_another_users_job_is_not_found(
    make_job: MakeJob, client_of: ClientOf, editor: User, reviewer: User
) -> None:
    job = make_job(user=reviewer)
    for method, path in [("get", ""), ("post", "/cancel"), ("post", "/retry")]:
        answer = getattr(client_of(editor), method)(f"/api/v1/jobs/{job.pk}{path}")
        assert answer.status_code == 404


def test_administrators_see_all_jobs(
    make_job: MakeJob, client_of: ClientOf, editor: User, administrator: User
) -> None:
    make_job(user=editor)
    assert client_of(administrator).get("/api/v1/jobs").json()["count"] == 1


def test_a_job_shows_its_progress(make_job: MakeJob, client_of: ClientOf, editor: User) -> None:
    job = work_off(make_job(25))
    body = client_of(editor).get(f"/api/v1/jobs/{job.pk}").json()
    assert body["status"] == "succeeded"
    assert (body["total"], body["processed"], body["succeeded"], body["failed"]) == (25, 25, 25, 0)
    assert body["eta_s"] == 0


def test_cancelling_answers_202_and_the_job(make_job: MakeJob, client_of: ClientOf, editor: User) -> None:
    job = make_job()
    answer = client_of(editor).post(f"/api/v1/jobs/{job.pk}/cancel")
    assert answer.status_code == 202
    assert answer.json()["status"] == "cancelled"


def test_cancelling_a_finished_job_is_a_conflict(
    make_job: MakeJob, client_of: ClientOf, editor: User
) -> None:
    job = work_off(make_job())
    answer = client_of(editor).post(f"/api/v1/jobs/{job.pk}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")


def test_retrying_answers_202(
    make_job: MakeJob, counting: Counting, client_of: ClientOf, editor: User
) -> None:
    counting.broken = {1}
    job = work_off(make_job())
    answer = client_of(editor).post(f"/api/v1/jobs/{job.pk}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


def test_jobs_are_filtered_by_status_and_kind(make_job: MakeJob, client_of: ClientOf, editor: User) -> None:
    make_job()
    work_off(make_job())
    client = client_of(editor)
    assert client.get("/api/v1/jobs?status=queued&kind=count").json()["count"] == 1
    assert client.get("/api/v1/jobs?status=strange").status_code == 400


@pytest.mark.parametrize("address", ["03fdd7fd-9d87-4357-82b5-db22748a6991", "1", "nonsense"])
def test_an_unknown_job_is_not_found(client_of: ClientOf, editor: User, address: str) -> None:
    answer = client_of(editor).get(f"/api/v1/jobs/{address}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_jobs_need_a_role(client_of: ClientOf, stranger: User) -> None:
    assert client_of(stranger).get("/api/v1/jobs").json()["code"] == "no_role"
