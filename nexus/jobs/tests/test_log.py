"""What happened to a job, in the API and in the admin."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from conftest import ClientOf
from nexus.jobs import services
from nexus.jobs.models import LogLine
from nexus.jobs.tests.conftest import Counting, MakeJob, work_off

pytestmark = pytest.mark.django_db


def messages(client: Any, job: Any, query: str = "") -> list[str]:
    """What the log of a job says, the oldest line first."""
    body = client.get(f"/api/v1/jobs/{job.pk}/log{query}").json()
    return [line["message"] for line in reversed(body["results"])]


def test_the_log_tells_the_life_of_a_job(
    make_job: MakeJob, counting: Counting, client_of: ClientOf, editor: User
) -> None:
    counting.deadly = {1}
    job = work_off(make_job(25))
    assert messages(client_of(editor), job) == [
        "Started.",
        "Cut into 3 chunks of 25 items.",
        "Attempt 1 failed: Something went wrong on the server (RuntimeError).",
        "Attempt 2 failed: Something went wrong on the server (RuntimeError).",
        "Set aside after 3 attempts: Something went wrong on the server (RuntimeError).",
        "Ended as partially failed: 15 well, 10 failed.",
    ]
    assert len(messages(client_of(editor), job, "?level=error")) == 1


def test_a_line_is_there_before_the_work_ends(make_job: MakeJob) -> None:
    job = make_job(25)
    services.work_on(job.pk)
    assert LogLine.objects.filter(job=job, message="Started.").exists()


def test_who_cancelled_and_who_took_it_up_again_is_told(
    make_job: MakeJob, client_of: ClientOf, editor: User, administrator: User
) -> None:
    job = make_job(user=editor)
    client_of(administrator).post(f"/api/v1/jobs/{job.pk}/cancel")
    client_of(editor).post(f"/api/v1/jobs/{job.pk}/retry")
    asked = LogLine.objects.filter(user__isnull=False).order_by("id").values_list("message", "user")
    assert list(asked) == [("Asked to stop.", administrator.pk), ("Taken up again.", editor.pk)]


def test_the_newest_lines_are_kept(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogLine, "KEPT", 3)
    job = make_job()
    for number in range(5):
        LogLine.write(job, str(number))
    assert [line.message for line in LogLine.objects.filter(job=job)] == ["4", "3", "2"]


def test_the_log_of_anothers_job_is_not_found(
    make_job: MakeJob, client_of: ClientOf, editor: User, reviewer: User
) -> None:
    job = make_job(user=reviewer)
    for path in ("log", "chunks"):
        assert client_of(editor).get(f"/api/v1/jobs/{job.pk}/{path}").status_code == 404


def test_chunks_that_were_set_aside_are_found_with_the_reason(
    make_job: MakeJob, counting: Counting, client_of: ClientOf, editor: User
) -> None:
    counting.deadly = {1}
    job = work_off(make_job(25))
    body = client_of(editor).get(f"/api/v1/jobs/{job.pk}/chunks?status=failed").json()
    (chunk,) = body["results"]
    assert (body["count"], chunk["position"], chunk["first"], chunk["size"]) == (1, 1, 10, 10)
    assert chunk["error"] == "Something went wrong on the server (RuntimeError)."


def test_kinds_are_listed_with_their_queue(client_of: ClientOf, editor: User, counting: Counting) -> None:
    kinds = client_of(editor).get("/api/v1/jobs/kinds").json()["results"]
    assert {"name": "count", "queue": None, "permission": None} in kinds
    assert {
        "name": "train",
        "queue": "training",
        "permission": "classification.add_classifier",
    } in kinds


@pytest.fixture
def staff(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def page_of(job: Any) -> str:
    return f"/admin/nexus_jobs/job/{job.pk}/change/"


def test_the_page_of_a_job_shows_all_of_it(staff: Client, make_job: MakeJob, counting: Counting) -> None:
    counting.deadly = {1}
    job = work_off(make_job(25))
    answer = staff.get(page_of(job))
    page = answer.content.decode()
    for shown in (
        '<progress value="25" max="25"></progress> 25 / 25',
        "2 done, 1 failed",
        "Chunk 1 (items 10 to 19): Something went wrong on the server (RuntimeError).",
        "Cut into 3 chunks of 25 items.",
        'name="_retry"',
    ):
        assert shown in page
    assert "Refresh" not in answer.headers


def test_the_page_of_a_running_job_looks_again_by_itself(staff: Client, make_job: MakeJob) -> None:
    job = make_job(25)
    services.work_on(job.pk)
    answer = staff.get(page_of(job))
    assert answer.headers["Refresh"] == "3"
    assert '<progress value="0" max="25"></progress> 0 / 25' in answer.content.decode()


def test_the_buttons_of_the_page_cancel_and_retry(staff: Client, make_job: MakeJob) -> None:
    job = make_job(25)
    for button, status in (("_cancel", "cancelled"), ("_retry", "queued")):
        assert staff.post(page_of(job), {button: "yes"}).status_code == 302
        job.refresh_from_db()
        assert job.status == status


def test_who_may_not_see_all_jobs_presses_no_button(
    client: Client, make_user: Any, make_job: MakeJob
) -> None:
    job = make_job(25)
    client.force_login(make_user("reviewer", is_staff=True))
    assert client.post(page_of(job), {"_cancel": "yes"}).status_code == 403
