"""How many statements of SQL each endpoint takes, as data; signing in takes none, its session is in Redis."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.tests.conftest import MakeProduct, Tree

READS = {
    "/api/v1/products": 2,
    "/api/v1/products?page_size=500": 2,
    "/api/v1/products?status=draft": 3,
    "/api/v1/products?category={category}": 5,
    "/api/v1/products?search=hammer": 5,
    "/api/v1/products/{product}": 1,
    "/api/v1/products/{product}/history": 3,
    "/api/v1/categories": 2,
    "/api/v1/categories?taxonomy=shop": 3,
    "/api/v1/categories/{category}": 1,
    "/api/v1/taxonomies": 2,
    "/api/v1/taxonomies/{taxonomy}": 1,
}


@pytest.mark.parametrize("template", READS)
def test_reads(as_viewer: APIClient, make_product: MakeProduct, tree: Tree, template: str) -> None:
    for category in [*tree.values()] * 3:
        product = make_product(category, name="hammer")
    category = tree["tools"]
    url = template.format(product=product.pk, category=category.pk, taxonomy=category.taxonomy_id)
    as_viewer.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert as_viewer.get(url).status_code == 200
    assert len(queries) <= READS[template], [query["sql"][:120] for query in queries]


# Two of these are the transaction's. One statement alone needs none, but for the savepoint that it is in this test,
# whose transaction also holds the category.
WRITES = {
    "POST": 3,
    "POST with a category": 4,
    "PUT": 3,
    "PUT with a category": 4,
    "PATCH": 4,
    "PATCH of the category": 6,
    "DELETE": 5,
}


def test_writes(as_editor: APIClient, make_product: MakeProduct, tree: Tree) -> None:
    product = make_product(tree["saws"])
    url, saws, drills = f"/api/v1/products/{product.pk}", tree["saws"].pk, tree["drills"].pk
    requests = {
        "POST": lambda: as_editor.post("/api/v1/products", {"sku": "A", "name": "B"}),
        "POST with a category": lambda: as_editor.post(
            "/api/v1/products", {"sku": "C", "name": "D", "category_id": saws}
        ),
        "PUT": lambda: as_editor.put(url, {"sku": "F", "name": "G"}),
        "PUT with a category": lambda: as_editor.put(url, {"sku": "F", "name": "G", "category_id": saws}),
        "PATCH": lambda: as_editor.patch(url, {"name": "E"}),
        "PATCH of the category": lambda: as_editor.patch(url, {"category_id": drills}),
        "DELETE": lambda: as_editor.delete(url),
    }
    as_editor.get(url)
    used = {}
    for name, request in requests.items():
        with CaptureQueriesContext(connection) as queries:
            assert request().status_code < 300
        used[name] = len(queries)
    assert {name: number for name, number in used.items() if number > WRITES[name]} == {}
