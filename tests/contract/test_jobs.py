"""What every job has, of whatever kind."""

from rest_framework.test import APIClient

from nexus.jobs.models import Job
from tests.contract.world import World


def test_every_job_says_who_and_why(world: World, as_administrator: APIClient) -> None:
    jobs = as_administrator.get("/api/v1/jobs?page_size=500").json()["results"]
    assert {job["kind"] for job in jobs} >= {"classify", "train", "shadow", "check_rules", "carry_over"}
    assert [job["kind"] for job in jobs if not job["reason"] or job["created_by"] is None] == []
    longest = Job._meta.get_field("reason").max_length or 0
    assert max(len(job["reason"]) for job in jobs) < longest
