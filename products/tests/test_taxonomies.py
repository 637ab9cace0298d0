"""/api/v1/taxonomies"""

from rest_framework.test import APIClient

from products.models import Category, Taxonomy
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
