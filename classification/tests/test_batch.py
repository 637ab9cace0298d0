"""``POST /api/v1/classify/batch`` and what becomes of the job."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from accounts.services.users import update_user
from classification.models import Classification, Classifier
from classification.services import classify
from classification.tests.conftest import DRILL, GLOVES, MakeProduct, work_off
from conftest import ClientOf
from nexus.jobs import services as jobs
from nexus.jobs.models import Chunk, Job
from products.models import Category, Taxonomy

pytestmark = pytest.mark.django_db

PATH = "/api/v1/classify/batch"


@pytest.fixture
def client(client_of: ClientOf, editor: User, categories: dict[str, Category]) -> Any:
    return client_of(editor)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "CHUNK_SIZE", 10)


def submit(client: Any, **body: Any) -> str:
    answer = client.post(PATH, body, format="json")
    assert answer.status_code == 202, answer.content
    job_id: str = answer.json()["job_id"]
    assert answer.headers["Location"].endswith(f"/api/v1/classify/{job_id}")
    return job_id


def test_items_are_classified_in_the_background(client: Any) -> None:
    job_id = submit(client, items=[{"name": DRILL}, {"name": GLOVES}])
    assert client.get(f"/api/v1/classify/{job_id}").json()["total"] == 2
    work_off(job_id)
    body = client.get(f"/api/v1/classify/{job_id}").json()
    assert (body["status"], body["processed"]) == ("succeeded", 2)
    assert [result["category"]["code"] for result in body["results"]["results"]] == [
        "tools.drills",
        "safety.gloves",
    ]


def test_answers_stay_when_the_classifier_that_could_give_their_reasons_cannot_be_read(client: Any) -> None:
    job_id = submit(client, items=[{"name": DRILL}])
    work_off(job_id)
    before = client.get(f"/api/v1/classify/{job_id}").json()["results"]["results"][0]
    assert {one["term"] for one in before["explanation"]} >= {"combi", "drill"}
    Classifier.objects.update(artefact=b"of an older version")
    # What a process has in memory counts for one revision of the taxonomy.
    Taxonomy.objects.update(revision=F("revision") + 1)
    answer = client.get(f"/api/v1/classify/{job_id}")
    assert answer.status_code == 200
    after = answer.json()["results"]["results"][0]
    assert after == before | {"explanation": [], "contrast": [], "similar": []}


def test_products_are_classified_by_their_ids(client: Any, make_product: MakeProduct) -> None:
    ids = [make_product(name).pk for name in (GLOVES, DRILL)]
    job_id = submit(client, product_ids=ids)
    work_off(job_id)
    results = client.get(f"/api/v1/classify/{job_id}").json()["results"]["results"]
    assert [result["product_id"] for result in results] == ids


def test_a_product_that_does_not_exist_fails_alone(client: Any, make_product: MakeProduct) -> None:
    job_id = submit(client, product_ids=[make_product().pk, 999])
    job = work_off(job_id)
    assert (job.status, job.succeeded, job.failed) == ("partially_failed", 1, 1)
    results = client.get(f"/api/v1/classify/{job_id}?decision=failed").json()["results"]
    assert results["count"] == 1
    assert results["results"][0]["error"] == "There is no product 999."


def test_retry_takes_up_the_failed_items_alone(client: Any, make_product: MakeProduct) -> None:
    job_id = submit(client, product_ids=[make_product().pk, 999])
    work_off(job_id)
    first = Classification.objects.get(position=0).pk
    make_product(id=999)
    assert client.post(f"/api/v1/classify/{job_id}/retry").status_code == 202
    assert work_off(job_id).status == "succeeded"
    assert Classification.objects.get(position=0).pk == first


def test_products_of_a_filter_are_classified(client: Any, make_product: MakeProduct) -> None:
    make_product(status="active")
    make_product(status="draft")
    job_id = submit(client, filter={"status": "active", "category__isnull": True})
    job = work_off(job_id)
    assert (job.total, job.succeeded) == (1, 1)


def test_a_filter_that_finds_nothing_ends_at_once(client: Any) -> None:
    assert work_off(submit(client, filter={"sku": "none"})).status == "succeeded"


def test_a_job_ends_in_the_results_of_every_item_exactly_once(
    client: Any, small_chunks: None, make_product: MakeProduct
) -> None:
    job_id = submit(client, items=[{"name": f"{DRILL} {number}"} for number in range(35)])
    jobs.work_on(job_id)
    lost = jobs.claim(Job.objects.get(pk=job_id))
    assert lost
    classify._work(lost.job, lost)
    Chunk.objects.filter(pk=lost.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    jobs.recover()
    job = work_off(job_id)
    assert (job.status, job.processed) == ("succeeded", 35)
    positions = Classification.objects.values_list("position", flat=True).order_by("position")
    assert list(positions) == list(range(35))


def test_a_chunk_done_twice_leaves_its_answers_in_the_queue_of_reviews(
    client: Any, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submit(client, product_ids=[make_product("drill saw").pk])
    jobs.work_on(job_id)
    chunk = jobs.claim(Job.objects.get(pk=job_id))
    assert chunk
    classify._work(chunk.job, chunk)
    # The second worker has looked for answers before the first one kept them.
    monkeypatch.setattr(classify, "_results_of", lambda job, chunk: Classification.objects.none())
    classify._work(chunk.job, chunk)
    assert client.get("/api/v1/reviews").json()["count"] == 1


def test_a_taxonomy_that_is_deleted_ends_its_jobs(
    client: Any, client_of: ClientOf, administrator: User, categories: dict[str, Category]
) -> None:
    job_id = submit(client, items=[{"name": DRILL}])
    taxonomy = categories["tools"].taxonomy_id
    assert client_of(administrator).delete(f"/api/v1/taxonomies/{taxonomy}").status_code == 204
    job = work_off(job_id)
    assert (job.status, job.processed, job.failed) == ("failed", 1, 1)
    assert client.get(f"/api/v1/classify/{job_id}").status_code == 200


def test_a_job_accepted_before_an_option_was_known_is_done_with_its_default(client: Any) -> None:
    job_id = submit(client, items=[{"name": DRILL}])
    job = Job.objects.get(pk=job_id)
    del job.parameters["apply"], job.parameters["top_k"]
    job.save()
    assert work_off(job_id).status == "succeeded"


def test_results_come_in_pages_in_order(client: Any) -> None:
    job_id = submit(client, items=[{"name": f"{DRILL} {number}"} for number in range(5)])
    work_off(job_id)
    page = client.get(f"/api/v1/classify/{job_id}?page_size=3").json()["results"]
    assert (page["count"], [result["position"] for result in page["results"]]) == (5, [0, 1, 2])
    page = client.get(page["next"]).json()["results"]
    assert [result["position"] for result in page["results"]] == [3, 4]
    assert page["next"] is None


def test_cancelling_keeps_what_is_done(client: Any, small_chunks: None) -> None:
    job_id = submit(client, items=[{"name": DRILL}] * 30)
    jobs.work_on(job_id)
    jobs.work_on(job_id)
    answer = client.post(f"/api/v1/classify/{job_id}/cancel")
    assert (answer.status_code, answer.json()["status"], answer.json()["processed"]) == (202, "cancelled", 10)
    assert answer.json()["results"]["count"] == 10


def test_a_csv_file_is_classified(client: Any) -> None:
    file = SimpleUploadedFile("items.csv", f'name,manufacturer\n"{DRILL}",Makita\n{GLOVES},\n'.encode())
    answer = client.post(PATH, {"file": file, "top_k": 3}, format="multipart")
    assert answer.status_code == 202, answer.content
    assert work_off(answer.json()["job_id"]).succeeded == 2


def test_a_json_lines_file_is_classified(client: Any) -> None:
    lines = "\n".join(json.dumps({"name": name}) for name in (DRILL, GLOVES))
    answer = client.post(PATH, {"file": SimpleUploadedFile("i.jsonl", lines.encode())}, format="multipart")
    assert work_off(answer.json()["job_id"]).succeeded == 2


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b"title\nx\n", "/file"),
        (b"name,name2\nx,y\n", "/file"),
        (b"name\nx,y\n", "/file/1"),
        (b"name,product_id\na,\n,b\n", "/file/2/product_id"),
        (b"name\n\xff\xfe\n", "/file"),
        (b"", "/file"),
        (b"name\n", "/file"),
    ],
)
def test_a_bad_file_is_refused_with_the_row(client: Any, content: bytes, pointer: str) -> None:
    answer = client.post(PATH, {"file": SimpleUploadedFile("i.csv", content)}, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "line",
    [
        b'{"name": "a", "attributes": {"x": NaN}}',
        b'{"name": "a", "attributes": {"x": "\\ud800"}}',
        b'{"name": "a", "attributes": {"\\ud800": 1}}',
        b'{"name": "\\ud800"}',
        b'{"name": "a", "attributes": {"x": "\\u0000"}}',
        b'{"name": "a", "attributes": {"x": 1' + b"0" * 400 + b"}}",
        b'{"name": "a", "product_id": 1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
        b"5",
        b"",
    ],
)
def test_a_bad_line_of_json_is_refused(client: Any, line: bytes) -> None:
    answer = client.post(PATH, {"file": SimpleUploadedFile("i.jsonl", line)}, format="multipart")
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        ({"items": []}, "/items"),
        ({"items": [{"name": DRILL}], "product_ids": [1]}, "/items"),
        ({"items": [{"name": DRILL}, {}]}, "/items/1/name"),
        ({"items": "x"}, "/items"),
        ({"product_ids": [0]}, "/product_ids/0"),
        ({"filter": {"colour": "red"}}, "/filter/colour"),
        ({"filter": {"status": "strange"}}, "/filter/status"),
        ({"filter": {"status": ["a"]}}, "/filter/status"),
        ({"filter": 5}, "/filter"),
        ({"items": [{"name": DRILL}] * 10_001}, "/items"),
    ],
)
def test_a_wrong_batch_is_refused_with_the_place(client: Any, body: Any, pointer: str) -> None:
    answer = client.post(PATH, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_results_are_exported_as_csv_without_formulas(client: Any) -> None:
    job_id = submit(client, items=[{"name": "=cmd() combi drill"}])
    work_off(job_id)
    answer = client.get(f"/api/v1/classify/{job_id}/export?format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert row["name"] == "'=cmd() combi drill"
    assert row["category_code"] == "tools.drills"


def test_names_of_categories_are_no_formulas_in_csv_either(client: Any) -> None:
    job_id = submit(client, items=[{"name": DRILL}])
    work_off(job_id)
    Category.objects.filter(code="tools.drills").update(path="=cmd() > Drills")
    content = b"".join(client.get(f"/api/v1/classify/{job_id}/export?format=csv").streaming_content)
    (row,) = csv.DictReader(io.StringIO(content.decode()))
    assert row["category_path"] == "'=cmd() > Drills"


def test_results_are_exported_as_json_lines(client: Any) -> None:
    job_id = submit(client, items=[{"name": DRILL}, {"name": GLOVES}])
    work_off(job_id)
    content = b"".join(client.get(f"/api/v1/classify/{job_id}/export?format=jsonl").streaming_content)
    assert [json.loads(line)["position"] for line in content.splitlines()] == [0, 1]


def test_another_users_results_are_not_exported(client: Any, client_of: ClientOf, reviewer: User) -> None:
    job_id = submit(client, items=[{"name": DRILL}])
    assert client_of(reviewer).get(f"/api/v1/classify/{job_id}/export").status_code == 404


@pytest.mark.parametrize("action", ["cancel", "retry"])
@pytest.mark.parametrize("path", ["classify", "jobs"])
def test_who_may_no_longer_classify_may_not_steer_the_jobs_of_before(
    client: Any, client_of: ClientOf, editor: User, action: str, path: str
) -> None:
    job_id = submit(client, items=[{"name": DRILL}])
    update_user(editor, roles=["viewer"])
    answer = client_of(editor).post(f"/api/v1/{path}/{job_id}/{action}")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_other_kinds_of_jobs_are_not_found_here(client: Any, editor: User) -> None:
    job = Job.objects.create(kind="train", created_by=editor)
    assert client.get(f"/api/v1/classify/{job.pk}").status_code == 404


@pytest.mark.parametrize("accept", ["text/csv", "application/jsonl", "application/json", "*/*"])
def test_an_export_may_be_asked_for_by_its_media_type(client: Any, accept: str) -> None:
    job_id = submit(client, items=[{"name": DRILL}])
    address = f"/api/v1/classify/{job_id}/export"
    assert client.get(address, headers={"accept": accept}).status_code == 200
    assert client.get(address, headers={"accept": "text/html"}).status_code == 406
