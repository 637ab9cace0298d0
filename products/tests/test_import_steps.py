"""Imports of large files: read step by step, whoever dies or is stopped meanwhile."""

import gzip
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from nexus.jobs import services as jobs
from nexus.jobs.kinds import kind_of
from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.files import reading
from products.files.tests.test_reading import workbook
from products.models import ImportFault, ImportKey, Product
from products.services.imports import kept, preparing
from products.tests.imports import URL, counts, send

pytestmark = pytest.mark.django_db

# Rows 9, 12 and 14 have the SKUs of rows 2, 4 and again 2.
SKUS = ["a", "b", "c", "d", "e", "f", "g", "a", "h", "i", "c", "j", "a"]
FILE = "sku,name\n" + "".join(f"{sku},Product {row}\n" for row, sku in enumerate(SKUS, start=2))
TWICE = {9: 2, 12: 4, 14: 2}


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of up to two rows, two chunks a step."""
    monkeypatch.setattr(kept, "ROWS_OF_CHUNK", 2)
    monkeypatch.setattr(preparing, "CHUNKS_OF_STEP", 2)


@pytest.fixture
def job(as_editor: APIClient) -> Job:
    return Job.objects.get(pk=send(as_editor, FILE).json()["id"])


def step(job: Job, times: int = 1) -> Job:
    """Do the next steps of the preparation, and no chunk."""
    for _ in range(times):
        assert jobs.work_on(job.pk)
    job.refresh_from_db()
    return job


def check_what_came_of_it(job: Job) -> None:
    """The first row of each SKU is imported, and the others say which that is."""
    faults = ImportFault.objects.filter(job=job).values_list("row", "code", "detail")
    assert list(faults) == [
        (row, "duplicate", f"Row {first} has the same SKU.") for row, first in TWICE.items()
    ]
    assert (job.status, counts(job)) == ("partially_failed", (10, 0, 0, 3))
    names = dict(Product.objects.values_list("sku", "name"))
    assert names == {sku: f"Product {SKUS.index(sku) + 2}" for sku in SKUS}
    assert not ImportKey.objects.exists()


@pytest.mark.parametrize(
    "pack", [str.encode, lambda text: gzip.compress(text.encode())], ids=["plain", "gzip"]
)
def test_the_first_row_of_a_sku_counts_whichever_step_it_is_in(as_editor: APIClient, pack: Any) -> None:
    job = work_off(Job.objects.get(pk=send(as_editor, pack(FILE)).json()["id"]))

    check_what_came_of_it(job)
    assert (job.total, job.prepared, job.chunks.count()) == (13, 13, 7)


def test_a_workbook_is_read_in_one_step(as_editor: APIClient) -> None:
    rows = [line.split(",") for line in FILE.splitlines()]
    job = step(Job.objects.get(pk=send(as_editor, workbook([*rows]), name="file.xlsx").json()["id"]))

    assert (job.prepared, job.prepared_at is not None) == (13, True)
    check_what_came_of_it(work_off(job))


def test_the_first_chunks_are_done_while_the_file_is_read(job: Job) -> None:
    step(job)
    chunk = jobs.claim(job)
    assert chunk
    jobs.run(job, chunk)

    job.refresh_from_db()
    assert (job.prepared, job.processed, job.total, job.prepared_at) == (4, 2, 13, None)
    check_what_came_of_it(work_off(job))


def test_a_step_that_dies_is_done_again_and_those_before_it_are_not(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    step(job, 2)
    with monkeypatch.context() as patch:
        patch.setattr(kept, "keep", dies)
        with pytest.raises(SystemExit):
            jobs.work_on(job.pk)
    Job.objects.filter(pk=job.pk).update(leased_until=None)

    # Of the eight rows before it two have the same SKU; one more key says that they are noted.
    assert ImportKey.objects.count() == 8
    check_what_came_of_it(work_off(job))


def dies(*arguments: Any) -> None:
    raise SystemExit


def test_a_job_that_is_cancelled_between_steps_goes_on_when_it_is_taken_up_again(job: Job) -> None:
    jobs.cancel(step(job, 2))
    assert not ImportKey.objects.exists()

    jobs.retry(Job.objects.get(pk=job.pk))
    check_what_came_of_it(work_off(job))


def test_of_a_file_that_breaks_off_what_was_read_before_is_imported(
    as_editor: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SAMPLE_BYTES", 100)
    monkeypatch.setattr(preparing, "CHUNKS_OF_STEP", 1)
    monkeypatch.setattr(kept, "ROWS_OF_CHUNK", 1_000)
    lines = "sku,name\n" + "".join(f"{n},{n * 7919}\n" for n in range(3_000))
    job = Job.objects.get(pk=send(as_editor, gzip.compress(lines.encode())[:-100]).json()["id"])

    step(job)
    chunk = jobs.claim(job)
    assert chunk
    jobs.run(job, chunk)
    work_off(job)

    assert (job.status, job.error) == ("failed", "/file: The gzip file is damaged or not complete.")
    assert counts(job)[0] == Product.objects.count() >= 1_000
    assert not ImportKey.objects.exists()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_of_long_rows_a_step_reads_few_and_loses_none(
    as_editor: APIClient, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(kept, "ROWS_OF_CHUNK", 1_000)
    monkeypatch.setattr(kept, "BYTES_OF_CHUNK", 1_000)
    rows = [(f"A-{number}", f"{number} {'x' * 400}") for number in range(20)]
    lines = {
        "csv": ["sku,name", *map(",".join, rows)],
        "jsonl": [json.dumps({"sku": sku, "name": name}) for sku, name in rows],
    }
    job = Job.objects.get(pk=send(as_editor, "\n".join(lines[form]), name=f"f.{form}").json()["id"])

    assert step(job).prepared == 6
    assert counts(work_off(job)) == (20, 0, 0, 0)
    assert [chunk.size for chunk in job.chunks.order_by("position")] == [3, 3, 3, 3, 3, 3, 2]


def test_of_long_rows_few_are_looked_at_beforehand(
    as_editor: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SAMPLE_CHARACTERS", 1_000)
    lines = "sku,name\n" + "".join(f"A-{number},{'x' * 400}\n" for number in range(20))

    looked_at = send(as_editor, lines, path=f"{URL}/preview").json()
    job = Job.objects.get(pk=send(as_editor, lines).json()["id"])

    assert len(looked_at["rows"]) == 3
    assert kind_of(job).queue_of(job) == "bulk"
    assert counts(work_off(job)) == (20, 0, 0, 0)


def test_a_small_file_is_known_to_be_small_and_goes_before_large_ones(as_editor: APIClient) -> None:
    small, large = (
        Job.objects.get(pk=send(as_editor, "sku,name\n" + "1,Drill\n" * rows).json()["id"])
        for rows in (500, 501)
    )

    assert (small.total, kind_of(small).queue_of(small)) == (500, "interactive")
    assert (large.total, kind_of(large).queue_of(large)) == (502, "bulk")


def test_an_upload_may_have_any_name(as_editor: APIClient) -> None:
    job = work_off(Job.objects.get(pk=send(as_editor, FILE, name="rows").json()["id"]))

    assert counts(job) == (10, 0, 0, 3)
