"""Jobs in the admin."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from nexus.jobs.models import LogLine
from nexus.jobs.tests.conftest import Counting, MakeJob, work_off

pytestmark = pytest.mark.django_db

JOBS = "/admin/nexus_jobs/job/"


@pytest.fixture
def staff(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def act(client: Client, action: str, pk: object) -> str:
    answer = client.post(JOBS, {"action": action, "_selected_action": [str(pk)]}, follow=True)
    return answer.content.decode()


def test_the_progress_of_jobs_is_seen_and_why_they_are_there(staff: Client, make_job: MakeJob) -> None:
    job = work_off(make_job(25))
    page = staff.get(JOBS).content.decode()
    why = "Counting, requested on the command line."
    assert why in page
    assert why in staff.get(f"{JOBS}{job.pk}/change/").content.decode()
    assert '<progress value="25" max="25"></progress> 25 / 25' in page


def test_a_job_is_cancelled_and_says_by_whom(staff: Client, administrator: User, make_job: MakeJob) -> None:
    job = make_job()
    assert "1 asked to stop." in act(staff, "cancel_jobs", job.pk)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert LogLine.objects.get(job=job, message="Asked to stop.").user == administrator


def test_what_cannot_be_cancelled_is_explained(staff: Client, make_job: MakeJob) -> None:
    assert "ended already" in act(staff, "cancel_jobs", work_off(make_job()).pk)


def test_a_job_is_retried(staff: Client, make_job: MakeJob, counting: Counting) -> None:
    counting.broken = {1}
    assert "1 queued again." in act(staff, "retry_jobs", work_off(make_job()).pk)


def test_a_job_and_its_chunks_can_be_looked_at_and_not_changed(staff: Client, make_job: MakeJob) -> None:
    job = work_off(make_job(25))
    assert staff.get(f"{JOBS}{job.pk}/change/").status_code == 200
    assert staff.get("/admin/nexus_jobs/chunk/").status_code == 200
    assert staff.get(f"{JOBS}add/").status_code == 403
    assert staff.post(f"{JOBS}{job.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_job_and_its_chunks_are_found_by_the_id_of_the_job(staff: Client, make_job: MakeJob) -> None:
    job = work_off(make_job(25))
    make_job(25)
    assert "1 job" in staff.get(JOBS, {"q": str(job.pk)}).content.decode()
    assert "0 jobs" in staff.get(JOBS, {"q": "nonsense"}).content.decode()
    assert "3 chunks" in staff.get("/admin/nexus_jobs/chunk/", {"q": str(job.pk)}).content.decode()


def test_those_who_may_not_see_all_jobs_do_not_see_the_page(
    client: Client, make_user: Any, make_job: MakeJob
) -> None:
    client.force_login(make_user("reviewer", is_staff=True))
    assert client.get(JOBS).status_code == 403


def test_the_list_takes_few_queries(
    staff: Client, make_job: MakeJob, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        make_job()
    with django_assert_max_num_queries(6):
        staff.get(JOBS)
