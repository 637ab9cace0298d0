"""Exports of so many products that a job writes them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from nexus.jobs import services as jobs
from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.files.formats import FORMATS
from products.files.tests.conftest import read
from products.models import Product
from products.services import export_jobs
from products.tests.conftest import URL, MakeProduct, places

EXPORT = f"{URL}/export"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than two products are very many, a chunk has two of them, and a step of the preparation two chunks."""
    monkeypatch.setattr(export_jobs, "MAX_STREAMED", 2)
    monkeypatch.setattr(export_jobs, "CHUNK_SIZE", 2)
    monkeypatch.setattr(export_jobs, "IDS_A_STEP", 4)


@pytest.fixture
def five(make_product: MakeProduct) -> list[Product]:
    return [make_product(sku=f"S-{number}", name="=1+1") for number in range(5)]


def accepted(client: APIClient, query: str = "format=csv") -> Job:
    answer = client.get(f"{EXPORT}?{query}")
    assert answer.status_code == 202, answer.content
    job = Job.objects.get(pk=answer.json()["id"])
    assert answer.headers["Location"] == f"http://testserver/api/v1/jobs/{job.pk}"
    return job


def downloaded(client: APIClient, job: Job) -> bytes:
    answer: Any = client.get(f"{EXPORT}/{job.pk}/file")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("form", FORMATS)
def test_the_file_of_a_job_holds_what_a_streamed_one_would(
    as_viewer: APIClient, five: list[Product], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    job = work_off(accepted(as_viewer, f"format={form}"))
    assert (job.status, job.total, job.succeeded) == (Job.Status.SUCCEEDED, 5, 5)
    assert job.result == {"file": f"{EXPORT}/{job.pk}/file"}
    monkeypatch.setattr(export_jobs, "MAX_STREAMED", 5)
    streamed: Any = as_viewer.get(f"{EXPORT}?format={form}")
    assert read(downloaded(as_viewer, job), form) == read(b"".join(streamed.streaming_content), form)


def test_filters_choose_when_the_job_is_prepared(as_viewer: APIClient, five: list[Product]) -> None:
    for product in five[:4]:
        product.status = "active"
        product.save()
    job = work_off(accepted(as_viewer, "format=jsonl&status=active"))
    assert job.reason == "Export of the products with status=active as jsonl, requested through the API."
    rows = read(downloaded(as_viewer, job), "jsonl")
    assert [row["sku"] for row in rows] == ["S-0", "S-1", "S-2", "S-3"]


def test_as_many_as_can_be_streamed_make_no_job(as_viewer: APIClient, five: list[Product]) -> None:
    assert as_viewer.get(f"{EXPORT}?sku=S-1").status_code == 200
    assert not Job.objects.exists()


def test_to_ask_again_while_the_job_is_under_way_starts_no_other(
    as_viewer: APIClient, as_editor: APIClient, five: list[Product]
) -> None:
    first = accepted(as_viewer)
    assert accepted(as_viewer) == first
    assert accepted(as_viewer, "format=jsonl") != first
    assert accepted(as_editor) != first
    work_off(first)
    assert accepted(as_viewer) != first


def test_only_to_look_starts_no_job(as_viewer: APIClient, five: list[Product]) -> None:
    assert as_viewer.head(EXPORT).status_code == 200
    assert not Job.objects.exists()


def test_a_part_that_is_written_twice_is_in_the_file_once(as_viewer: APIClient, five: list[Product]) -> None:
    job = work_off(accepted(as_viewer, "format=jsonl"))
    chunk = job.chunks.get(position=1)
    export_jobs._work(job, chunk)
    assert len(read(downloaded(as_viewer, job), "jsonl")) == 5


def test_after_the_death_of_a_worker_only_what_is_missing_is_written(
    as_viewer: APIClient, five: list[Product]
) -> None:
    job = accepted(as_viewer, "format=jsonl")
    while not job.files.exists():
        jobs.work_on(job.pk)
    written = job.files.get()
    job.refresh_from_db()
    lost = jobs.claim(job)
    assert lost
    job.chunks.filter(pk=lost.pk).update(leased_until=timezone.now() - timedelta(minutes=1))
    jobs.recover()
    work_off(job)
    assert job.files.filter(pk=written.pk).exists()
    assert len(read(downloaded(as_viewer, job), "jsonl")) == 5


def test_products_that_are_deleted_meanwhile_are_not_in_the_file(
    as_viewer: APIClient, five: list[Product]
) -> None:
    job = accepted(as_viewer, "format=jsonl")
    jobs.work_on(job.pk)
    five[3].delete()
    work_off(job)
    rows = read(downloaded(as_viewer, job), "jsonl")
    assert [row["sku"] for row in rows] == ["S-0", "S-1", "S-2", "S-4"]


def test_a_part_without_products_ends_no_workbook(as_viewer: APIClient, five: list[Product]) -> None:
    job = accepted(as_viewer, "format=xlsx")
    jobs.work_on(job.pk)
    for product in five[2:4]:
        product.delete()
    rows = read(downloaded(as_viewer, work_off(job)), "xlsx")
    assert [row["sku"] for row in rows] == ["S-0", "S-1", "S-4"]


def test_there_is_no_file_before_the_job_has_succeeded(as_viewer: APIClient, five: list[Product]) -> None:
    job = accepted(as_viewer)
    for end in (lambda: None, lambda: jobs.cancel(job)):
        end()
        answer = as_viewer.get(f"{EXPORT}/{job.pk}/file")
        assert (answer.status_code, answer.json()["code"]) == (409, "file_not_ready")


def test_a_cancelled_export_may_be_taken_up_again(as_viewer: APIClient, five: list[Product]) -> None:
    job = accepted(as_viewer, "format=jsonl")
    while not job.files.exists():
        jobs.work_on(job.pk)
    assert as_viewer.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 202
    assert as_viewer.post(f"/api/v1/jobs/{job.pk}/retry").status_code == 202
    work_off(job)
    assert len(read(downloaded(as_viewer, job), "jsonl")) == 5


def test_files_are_kept_for_a_week(as_viewer: APIClient, five: list[Product]) -> None:
    job = work_off(accepted(as_viewer))
    Job.objects.update(finished_at=job.finished_at - export_jobs.KEPT - timedelta(minutes=1))  # type: ignore[operator]
    work_off(accepted(as_viewer))
    answer = as_viewer.get(f"{EXPORT}/{job.pk}/file")
    assert (answer.status_code, answer.json()["code"]) == (409, "file_expired")


def test_a_file_is_its_owners_and_administrators_only(
    as_viewer: APIClient,
    as_editor: APIClient,
    as_administrator: APIClient,
    client_of: ClientOf,
    stranger: User,
    five: list[Product],
) -> None:
    job = work_off(accepted(as_viewer))
    answers = {
        who: client.get(f"{EXPORT}/{job.pk}/file").status_code
        for who, client in {
            "owner": as_viewer,
            "administrator": as_administrator,
            "another": as_editor,
            "stranger": client_of(stranger),
            "nobody": APIClient(),
        }.items()
    }
    assert answers == {"owner": 200, "administrator": 200, "another": 404, "stranger": 403, "nobody": 401}


def test_attributes_that_no_cell_can_hold_are_refused_and_not_found_out_by_a_worker(
    as_viewer: APIClient, make_product: MakeProduct, five: list[Product]
) -> None:
    make_product(attributes={f"a{number}": "x" * 2000 for number in range(17)})
    assert places(as_viewer.get(f"{EXPORT}?format=xlsx")) == {"/query/format": "cell_too_long"}
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"description": "\N{NUT AND BOLT}" * 16_383}, 200),
        ({"description": "\N{NUT AND BOLT}" * 16_384}, 400),
        ({"attributes": {f"a{number}": "\N{NUT AND BOLT}" * 2000 for number in range(8)}}, 200),
        ({"attributes": {f"a{number}": "\N{NUT AND BOLT}" * 2000 for number in range(9)}}, 400),
        ({"description": "ß" * 20_000}, 200),
    ],
    ids=["fits", "description", "attributes that fit", "attributes", "two bytes and one unit"],
)
def test_what_takes_two_units_in_excel_counts_twice(
    as_viewer: APIClient, make_product: MakeProduct, fields: dict[str, Any], status: int
) -> None:
    make_product(**fields)
    answer: Any = as_viewer.get(f"{EXPORT}?format=xlsx")
    assert answer.status_code == status
    if status == 200:
        assert b"".join(answer.streaming_content).startswith(b"PK")
