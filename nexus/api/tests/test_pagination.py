"""Pages of every list: by cursor, in any order, whatever is written meanwhile."""

import base64
import re
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from nexus.api.tests.conftest import PRODUCTS
from products.models import Product

ORDERINGS = ["id", "-id", "name", "-name", "name,-sku", "-name,sku", "-updated_at,name", "sku,-created_at"]


@pytest.fixture
def _products(db: None) -> None:
    """Twenty-three products with five names, so that every page begins and ends among equal names."""
    Product.objects.bulk_create(Product(sku=f"{n:02}", name="abcde"[n % 5]) for n in range(23))


def walk(api: APIClient, url: str, direction: str = "next") -> list[list[str]]:
    """The SKUs of each page from a URL on."""
    pages = []
    following: str | None = url
    while following:
        body = api.get(following).json()
        pages.append([row["sku"] for row in body["results"]])
        following = body[direction]
    return pages


def cursor_of(*document: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(document)).decode().rstrip("=")


@pytest.mark.usefixtures("_products")
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_a_walk_forth_and_back_meets_every_row_once_and_in_order(api: APIClient, ordering: str) -> None:
    whole = walk(api, f"{PRODUCTS}?ordering={ordering}&page_size=500")[0]
    pages = walk(api, f"{PRODUCTS}?ordering={ordering}&page_size=4")
    assert [len(page) for page in pages] == [4, 4, 4, 4, 4, 3]
    assert [sku for page in pages for sku in page] == whole
    url = f"{PRODUCTS}?ordering={ordering}&page_size=4"
    while following := api.get(url).json()["next"]:
        url = following
    assert walk(api, url, "previous") == pages[::-1]


@pytest.mark.usefixtures("_products")
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_a_page_far_on_begins_in_the_index_where_the_last_one_ended(api: APIClient, ordering: str) -> None:
    following = api.get(f"{PRODUCTS}?ordering={ordering}&page_size=10").json()["next"]
    with connection.cursor() as cursor:
        # So few rows are read quicker without an index.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        with CaptureQueriesContext(connection) as queries:
            api.get(following)
        page = next(query["sql"] for query in queries if "LIMIT 11" in query["sql"])
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert re.search(r"on products_product\b.*\n +Index Cond: ", plan), plan


@pytest.mark.usefixtures("_products")
def test_rows_written_meanwhile_move_nobody(api: APIClient) -> None:
    first = api.get(f"{PRODUCTS}?ordering=name&page_size=10").json()
    seen = [row["sku"] for row in first["results"]]
    Product.objects.create(sku="before", name="a")
    Product.objects.create(sku="after", name="e")
    Product.objects.filter(sku=seen[-1]).delete()
    rest = [sku for page in walk(api, first["next"]) for sku in page]
    assert "before" not in rest
    assert "after" in rest
    assert sorted(set(seen + rest)) == sorted([*(f"{n:02}" for n in range(23)), "after"])
    assert len(seen + rest) == 24


@pytest.mark.usefixtures("_products")
def test_every_page_tells_the_count_of_all(api: APIClient) -> None:
    body = api.get(f"{PRODUCTS}?page_size=10").json()
    assert body["count"] == 23
    assert body["previous"] is None
    Product.objects.create(sku="new", name="new")
    assert api.get(body["next"]).json()["count"] == 24


@pytest.mark.usefixtures("_products")
def test_links_keep_the_filters(api: APIClient) -> None:
    pages = walk(api, f"{PRODUCTS}?status=draft&search=a&page_size=2")
    assert sorted(sku for page in pages for sku in page) == ["00", "05", "10", "15", "20"]


def test_an_empty_list_has_no_neighbours(api: APIClient) -> None:
    assert api.get(PRODUCTS).json() == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize("page_size", ["0", "501", "-1", "x", "", "1.5", "9" * 30, "\u0661"])
def test_a_page_has_1_to_500_rows(api: APIClient, page_size: str) -> None:
    response = api.get(PRODUCTS, {"page_size": page_size})
    assert response.json()["errors"][0]["pointer"] == "/query/page_size"


@pytest.mark.parametrize("ordering", ["", "name,name", "id,-id", "x", "name,", "category__name", "-"])
def test_an_ordering_names_fields_that_are_offered_once_each(api: APIClient, ordering: str) -> None:
    response = api.get(PRODUCTS, {"ordering": ordering})
    assert response.json()["errors"][0]["pointer"] == "/query/ordering"


@pytest.mark.usefixtures("_products")
@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "====", "e30", "💡", "a" * 5000),
        cursor_of("id", [1], "no"),
        cursor_of("id", 1, False),
        cursor_of("id", [], False),
        cursor_of("name", ["a"], False),
        cursor_of("name,id", ["a\x00", 1], False),
        cursor_of("name,id", [None, 1], False),
        cursor_of("name,id", ["a", "b"], False),
        cursor_of("name,id", ["a", 1e308], False),
        cursor_of("name,id", ["a", {}], False),
        cursor_of("password", ["a"], False),
        cursor_of(1, 2, 3),
        cursor_of("name,id", ["a", 1], False, 4),
    ],
)
def test_a_cursor_is_taken_from_the_list_and_not_made(api: APIClient, cursor: str) -> None:
    response = api.get(PRODUCTS, {"ordering": "name", "cursor": cursor})
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-02-31", "2026-01-01", "9999-12-31T23:59:59-14:00", 1, []]
)
def test_no_moment_in_a_cursor_is_a_fault(api: APIClient, moment: Any) -> None:
    cursor = cursor_of("created_at,id", [moment, 1], False)
    assert api.get(PRODUCTS, {"ordering": "created_at", "cursor": cursor}).status_code in {200, 400}
