"""A classifier beside the active one."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import User
from classification import engine
from classification.models import Classifier, Difference
from classification.services import engines, shadow
from classification.tests.conftest import DRILL, GLOVES, MakeProduct, work_off
from conftest import ClientOf
from nexus.jobs.models import Chunk
from products.models import Category, Product, Taxonomy

pytestmark = pytest.mark.django_db

MASK = "FFP3 respirator dust mask FFP3 valved"


@pytest.fixture
def candidate(taxonomy: Taxonomy, categories: dict[str, Category]) -> Classifier:
    """One that takes masks for gloves and gloves for masks."""
    engines.active(taxonomy)
    masks, gloves = categories["safety.masks"].pk, categories["safety.gloves"].pk
    other = {masks: gloves, gloves: masks}
    swapped = [replace(one, id=other.get(one.id, one.id)) for one in engines.categories_of(taxonomy)]
    return Classifier.objects.create(
        taxonomy=taxonomy,
        version=2,
        status="candidate",
        taxonomy_revision=taxonomy.revision,
        training_size=1,
        artefact=engine.fit(swapped).to_bytes(),
    )


@pytest.fixture
def client(client_of: ClientOf, administrator: User) -> Any:
    return client_of(administrator)


@pytest.fixture
def products(make_product: MakeProduct) -> list[Product]:
    return [make_product(name) for name in (DRILL, GLOVES, MASK)]


def path(candidate: Classifier, what: str = "shadow") -> str:
    return f"/api/v1/classifiers/{candidate.pk}/{what}"


def run(client: Any, candidate: Classifier, **body: int) -> dict[str, Any]:
    """The counts of a run that has ended."""
    answer = client.post(path(candidate), body, format="json")
    assert (answer.status_code, answer.json()["agree"]) == (202, None)
    work_off(answer.json()["job_id"])
    counts: dict[str, Any] = client.get(path(candidate)).json()
    return counts


def test_it_counts_and_lists_what_they_say_differently(
    client: Any, candidate: Classifier, products: list[Product]
) -> None:
    counts = run(client, candidate)
    assert (counts["status"], counts["compared"], counts["agree"], counts["differ"]) == ("succeeded", 3, 1, 2)
    why = "Shadow run of version 2 for shop 1, requested through the API."
    assert client.get(f"/api/v1/jobs/{counts['job_id']}").json()["reason"] == why
    listed = client.get(path(candidate, "differences?is_other_category=true")).json()
    difference = listed["results"][0]
    assert listed["count"] == 2
    assert (difference["product_id"], difference["name"]) == (products[2].pk, MASK)
    assert difference["before"]["category"]["code"] == "safety.masks"
    assert difference["after"]["category"]["code"] == "safety.gloves"


def test_nothing_is_written_to_the_products(
    client: Any, candidate: Classifier, products: list[Product]
) -> None:
    run(client, candidate)
    assert not Product.objects.exclude(category=None).exists()


def test_the_newest_products_are_taken(client: Any, candidate: Classifier, products: list[Product]) -> None:
    assert run(client, candidate, size=1)["compared"] == 1
    assert {one.product_id for one in Difference.objects.all()} <= {products[2].pk}


def test_a_chunk_that_is_done_twice_counts_once(
    client: Any, candidate: Classifier, products: list[Product]
) -> None:
    before = run(client, candidate)
    job_run = shadow.ShadowRun.objects.get()
    shadow._work(job_run.job, Chunk.objects.get(job=job_run.job))
    assert shadow.counts(job_run, 3)["differ"] == before["differ"]


def test_a_product_that_was_deleted_meanwhile_is_passed_over(
    client: Any, candidate: Classifier, products: list[Product]
) -> None:
    answer = client.post(path(candidate), {}, format="json").json()
    job = shadow.ShadowRun.objects.get().job
    shadow.jobs.work_on(job.pk)
    products[2].delete()
    work_off(answer["job_id"])
    assert client.get(path(candidate)).json()["differ"] == 1


def test_the_active_one_has_nothing_to_be_compared_with(client: Any, candidate: Classifier) -> None:
    active = Classifier.objects.get(status="active")
    answer = client.post(path(active), {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "is_active")


def test_without_a_run_there_is_nothing_to_read(client: Any, candidate: Classifier) -> None:
    assert client.get(path(candidate)).status_code == 404
    assert client.get(path(candidate, "differences")).status_code == 404


@pytest.mark.parametrize("size", [0, 1_000_001, "many"])
def test_a_size_that_makes_no_sense_is_refused(client: Any, candidate: Classifier, size: Any) -> None:
    assert client.post(path(candidate), {"size": size}, format="json").status_code == 400


def test_a_reviewer_reads_and_does_not_begin(
    client: Any, client_of: ClientOf, reviewer: User, candidate: Classifier, products: list[Product]
) -> None:
    run(client, candidate)
    assert client_of(reviewer).get(path(candidate, "differences")).status_code == 200
    assert client_of(reviewer).post(path(candidate), {}, format="json").status_code == 403


def test_a_page_of_differences_takes_few_queries(
    client: Any, candidate: Classifier, products: list[Product], django_assert_max_num_queries: Any
) -> None:
    run(client, candidate)
    with django_assert_max_num_queries(4):
        client.get(path(candidate, "differences"))
