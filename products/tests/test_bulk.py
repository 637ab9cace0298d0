"""POST /api/v1/products/bulk"""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Product
from products.tests.conftest import URL, MakeProduct, Tree, places

BULK = f"{URL}/bulk"


def test_creates_updates_and_deletes_together(
    as_editor: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    changed, gone = make_product(manufacturer="Bosch"), make_product()
    response = as_editor.post(
        BULK,
        {
            "create": [{"sku": "A", "name": "a"}, {"sku": "B", "name": "b", "category_id": tree["saws"].pk}],
            "update": [{"id": changed.pk, "status": "active"}],
            "delete": [gone.pk],
        },
    )
    assert response.status_code == 200
    created = list(Product.objects.filter(sku__in=["A", "B"]).order_by("sku"))
    assert response.json() == {"created": [product.pk for product in created], "updated": 1, "deleted": 1}
    assert created[1].category == tree["saws"]
    assert created[1].category_source == "manual"
    changed.refresh_from_db()
    assert (changed.status, changed.manufacturer) == ("active", "Bosch")
    assert not Product.objects.filter(pk=gone.pk).exists()


def test_a_sku_is_free_again_for_a_new_product_when_its_owner_goes(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    gone = make_product(sku="A")
    response = as_editor.post(BULK, {"create": [{"sku": "A", "name": "a"}], "delete": [gone.pk]})
    assert response.status_code == 200
    assert Product.objects.get().pk == response.json()["created"][0]


def test_an_update_that_changes_nothing_is_not_counted(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    response = as_editor.post(BULK, {"update": [{"id": product.pk, "name": product.name}]})
    assert response.json() == {"created": [], "updated": 0, "deleted": 0}


def test_mistakes_in_fields_are_named_by_their_places(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    response = as_editor.post(
        BULK,
        {
            "create": [{"sku": "A", "name": "a"}, {"sku": "B"}, {"sku": "C", "name": "c", "colour": "red"}],
            "update": [{"name": "no id"}, {"id": make_product().pk, "gtin": "1"}],
            "delete": ["x"],
        },
    )
    assert response.status_code == 400
    assert places(response) == {
        "/create/1/name": "required",
        "/create/2/colour": "unknown_field",
        "/update/0/id": "required",
        "/update/1/gtin": "gtin_length",
        "/delete/0": "invalid",
    }


def test_what_does_not_exist_is_named_and_nothing_is_done(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(name="before")
    response = as_editor.post(
        BULK,
        {
            "create": [{"sku": "A", "name": "a"}, {"sku": "B", "name": "b", "category_id": 999}],
            "update": [{"id": product.pk, "name": "after"}, {"id": 999}, {"id": 998, "category_id": 999}],
            "delete": [997],
        },
    )
    assert response.status_code == 400
    assert set(places(response)) == {
        *("/create/1/category_id", "/update/1/id", "/update/2/id", "/update/2/category_id", "/delete/0")
    }
    assert Product.objects.get().name == "before"


def test_skus_that_are_taken_are_named(as_editor: APIClient, make_product: MakeProduct) -> None:
    make_product(sku="TAKEN")
    product = make_product(sku="OWN")
    response = as_editor.post(
        BULK,
        {
            "create": [
                *({"sku": sku, "name": "x"} for sku in ("NEW", "TAKEN", "TWICE", "TWICE")),
            ],
            "update": [{"id": product.pk, "sku": "TAKEN"}],
        },
    )
    assert response.status_code == 409
    assert response.json()["code"] == "sku_taken"
    assert set(places(response)) == {"/create/1/sku", "/create/2/sku", "/create/3/sku", "/update/0/sku"}
    assert Product.objects.count() == 2


def test_a_product_is_named_once(as_editor: APIClient, make_product: MakeProduct) -> None:
    pk = make_product().pk
    response = as_editor.post(BULK, {"update": [{"id": pk}, {"id": pk}], "delete": [pk]})
    assert places(response) == dict.fromkeys(["/update/0/id", "/update/1/id", "/delete/0"], "duplicate")


@pytest.mark.parametrize("part", ["create", "update", "delete"])
def test_more_than_a_thousand_are_refused(as_editor: APIClient, part: str) -> None:
    item: Any = {"create": {"sku": "A", "name": "a"}, "update": {"id": 1}, "delete": 1}[part]
    response = as_editor.post(BULK, {part: [item] * 1001})
    assert places(response) == {f"/{part}": "max_length"}


def test_a_thousand_cost_hardly_more_statements_than_one(as_editor: APIClient) -> None:
    def statements(body: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_editor.post(BULK, body).status_code == 200
        return len(queries)

    statements({"create": [{"sku": "first", "name": "x"}]})
    assert statements({"create": [{"sku": f"S{n}", "name": "x"} for n in range(1000)]}) <= 3
    ids = list(Product.objects.values_list("id", flat=True)[:1000])
    assert statements({"update": [{"id": pk, "status": "active", "name": f"n{pk}"} for pk in ids]}) <= 6
    # Django deletes a hundred rows at a time.
    assert statements({"delete": ids}) <= 5 + 10


@pytest.mark.parametrize(
    "body", [[], "x", 1, {"create": {}}, {"create": [1]}, {"update": [None]}, {"delete": 1}]
)
def test_rubbish_is_a_400(as_editor: APIClient, body: Any) -> None:
    assert as_editor.post(BULK, body).status_code == 400
