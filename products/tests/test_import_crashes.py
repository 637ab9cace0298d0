"""Imports whose workers die: what is done stays done, once, and the rest goes on from there."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from nexus.jobs import services as jobs
from nexus.jobs.models import Chunk, Job
from nexus.jobs.tests.conftest import work_off
from products.files import reading
from products.history import ProductEvent
from products.models import ImportedChunk, Product
from products.services.imports import kept, work
from products.tests.imports import counts, errors, send

pytestmark = pytest.mark.django_db

ROWS = 20
FILE = "sku,name\n" + "".join(f"{number},Product {number}\n" for number in range(ROWS - 1)) + "x,\n"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "ROWS_OF_CHUNK", 5)


@pytest.fixture
def job(as_editor: APIClient) -> Job:
    return Job.objects.get(pk=send(as_editor, FILE, mode="create").json()["id"])


def die_in(monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
    """Have a step of the work raise a few times."""
    real: Callable[..., Any] = getattr(work, name)
    left = [times]

    def dying(*arguments: Any, **named: Any) -> Any:
        made = real(*arguments, **named)
        if left[0]:
            left[0] -= 1
            raise RuntimeError("The worker died.")
        return made

    monkeypatch.setattr(work, name, dying)


def test_a_chunk_that_dies_before_its_end_leaves_nothing_and_is_done_again(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_in(monkeypatch, "_count", times=2)

    work_off(job)

    assert counts(job) == (ROWS - 1, 0, 0, 1)
    assert Product.objects.count() == ProductEvent.objects.count() == ROWS - 1


def test_a_chunk_whose_worker_dies_after_it_is_done_is_not_done_again(job: Job, as_editor: APIClient) -> None:
    work_off(job)
    # As if the worker had died between the two transactions: the chunk is done, and nobody knows.
    Chunk.objects.filter(job=job).update(status=Chunk.Status.PENDING, succeeded=0, failed=0)
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.RUNNING, finished_at=None, processed=0, succeeded=0, failed=0
    )

    work_off(job)

    assert (job.status, counts(job)) == ("partially_failed", (ROWS - 1, 0, 0, 1))
    assert errors(as_editor, job) == [(ROWS + 1, "name", "blank")]


def test_a_chunk_that_always_fails_is_set_aside_with_its_rows_and_the_rest_goes_on(
    job: Job, as_editor: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_in(monkeypatch, "write", times=3)

    work_off(job)

    assert counts(job) == (ROWS - 6, 0, 0, 6)
    assert [code for _, _, code in errors(as_editor, job)] == ["server_error"] * 5 + ["blank"]
    # A retry takes up those rows alone: the others would be refused as taken.
    jobs.retry(job)
    work_off(job)
    assert counts(job) == (ROWS - 1, 0, 0, 1)
    assert Product.objects.count() == ROWS - 1


def test_a_file_that_breaks_off_imports_nothing_and_says_so(
    as_editor: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SAMPLE_BYTES", 100)
    monkeypatch.setattr(kept, "ROWS_OF_CHUNK", 1000)
    packed = gzip.compress(("sku,name\n" + "".join(f"{n},{n * 7919}\n" for n in range(3_000))).encode())

    job = work_off(Job.objects.get(pk=send(as_editor, packed[:-100], name="x.csv").json()["id"]))

    assert (job.status, job.error) == ("failed", "/file: The gzip file is damaged or not complete.")
    assert not Product.objects.exists()


def test_a_cancelled_import_keeps_what_is_done(job: Job) -> None:
    for _ in range(3):
        jobs.work_on(job.pk)
    jobs.cancel(job)
    done = ImportedChunk.objects.filter(job=job).count()

    assert work_off(job).status == "cancelled"
    assert 0 < done < 4
    assert Product.objects.count() == done * 5
    jobs.retry(job)
    assert counts(work_off(job)) == (ROWS - 1, 0, 0, 1)
