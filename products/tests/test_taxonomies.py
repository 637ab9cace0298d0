"""/api/v1/taxonomies"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.models import Category, Taxonomy
from products.services import taxonomy_deletion
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow
from products.tests.conftest import MakeProduct, Tree, places

URL = "/api/v1/taxonomies"


def test_the_version_made_current_last_is_the_only_current_one(
    as_administrator: APIClient, taxonomy: Taxonomy
) -> None:
    response = as_administrator.post(URL, {"code": "shop", "version": "2", "name": "Shop 2"})
    assert response.status_code == 201
    assert response.json()["is_current"]
    taxonomy.refresh_from_db()
    assert not taxonomy.is_current
    as_administrator.patch(f"{URL}/{taxonomy.pk}", {"is_current": True})
    assert [row["version"] for row in as_administrator.get(f"{URL}?is_current=true").json()["results"]] == [
        "1"
    ]


def test_a_version_stands_once(as_administrator: APIClient, taxonomy: Taxonomy) -> None:
    response = as_administrator.post(URL, {"code": "shop", "version": "1", "name": "Again"})
    assert (response.status_code, places(response)) == (409, {"/version": "version_taken"})
    taxonomy.refresh_from_db()
    assert taxonomy.is_current


def test_a_taxonomy_goes_with_its_categories_when_no_product_is_in_them(
    as_administrator: APIClient, taxonomy: Taxonomy, tree: Tree, make_product: MakeProduct
) -> None:
    product = make_product(tree["saws"])
    response = as_administrator.delete(f"{URL}/{taxonomy.pk}")
    assert (response.status_code, response.json()["code"]) == (409, "in_use")
    product.delete()
    assert as_administrator.delete(f"{URL}/{taxonomy.pk}").status_code == 204
    assert not Category.objects.exists()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch, tree: Tree) -> None:
    """Makes every taxonomy with a category a large one."""
    monkeypatch.setattr(taxonomy_deletion, "MANY_CATEGORIES", 0)


def test_a_large_taxonomy_is_deleted_by_one_job_however_often_it_is_asked_for(
    large: None, as_administrator: APIClient, taxonomy: Taxonomy
) -> None:
    first, second = (as_administrator.delete(f"{URL}/{taxonomy.pk}") for _ in range(2))
    assert (first.status_code, second.json()["id"]) == (202, first.json()["id"])
    assert first.headers["Location"].endswith(f"/api/v1/jobs/{first.json()['id']}")
    job = work_off(Job.objects.get(pk=first.json()["id"]))
    assert job.status == "succeeded"
    assert job.reason == f"Deletion of {taxonomy}, requested through the API."
    assert not Taxonomy.objects.exists()
    assert not Category.objects.exists()


def test_a_large_taxonomy_with_products_stays_when_it_is_asked_for_and_when_the_job_comes_to_it(
    large: None, as_administrator: APIClient, taxonomy: Taxonomy, tree: Tree, make_product: MakeProduct
) -> None:
    accepted = as_administrator.delete(f"{URL}/{taxonomy.pk}")
    make_product(tree["saws"])
    assert as_administrator.delete(f"{URL}/{taxonomy.pk}").json()["code"] == "in_use"
    job = work_off(Job.objects.get(pk=accepted.json()["id"]))
    assert (job.status, job.failed) == ("failed", 1)
    assert "Products are still classified" in job.chunks.get().error
    assert taxonomy.categories.count() == len(tree)


def test_it_takes_as_many_statements_to_delete_many_categories_as_few(
    as_administrator: APIClient, db: None
) -> None:
    def statements(number: int) -> int:
        rows = [CategoryRow(f"c{one}", f"C {one}") for one in range(number)]
        taxonomy = load_taxonomy(f"of-{number}", "1", "Any", rows)
        with CaptureQueriesContext(connection) as captured:
            assert as_administrator.delete(f"{URL}/{taxonomy.pk}").status_code == 204
        return len(captured)

    # The first request of a session also reads who its user is.
    statements(1)
    assert statements(40) == statements(2)


def test_an_editor_reads_taxonomies_and_does_not_write_them(as_editor: APIClient, taxonomy: Taxonomy) -> None:
    url = f"{URL}/{taxonomy.pk}"
    assert as_editor.get(url).json()["code"] == "shop"
    assert as_editor.get(URL).json()["count"] == 1
    assert as_editor.post(URL, {"code": "x", "name": "X"}).status_code == 403
    assert as_editor.put(url, {"code": "x", "name": "X"}).status_code == 403
    assert as_editor.delete(url).status_code == 403


def test_a_taxonomy_may_be_sent_back_as_it_was_read(as_administrator: APIClient, taxonomy: Taxonomy) -> None:
    url = f"{URL}/{taxonomy.pk}"
    read = as_administrator.get(url).json()
    written = as_administrator.put(url, read).json()
    assert {**written, "updated_at": None} == {**read, "updated_at": None}
