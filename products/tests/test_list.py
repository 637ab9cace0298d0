"""GET /api/v1/products: filters, ordering, pages and counts"""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from products.models import Product
from products.services.taxonomies import create_taxonomy
from products.tests.conftest import URL, MakeProduct, Tree, names, places


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=archived", ["old"]),
        ("manufacturer=BOSCH", ["drill"]),
        ("manufacturer=bos", []),
        ("sku=S-2", ["saw"]),
        ("sku=s-2", []),
        ("gtin=4006381333931", ["saw"]),
        ("category__isnull=true", ["old"]),
        ("category__isnull=false", ["drill", "saw"]),
        ("taxonomy=shop", ["drill", "saw"]),
        ("taxonomy=shop@1", ["drill", "saw"]),
        ("taxonomy=shop&status=archived", []),
        ("manufacturer=", ["drill", "saw", "old"]),
    ],
)
def test_filters(
    as_viewer: APIClient, make_product: MakeProduct, tree: Tree, query: str, found: list[str]
) -> None:
    make_product(tree["hammer-drills"], name="drill", manufacturer="Bosch", sku="S-1")
    make_product(tree["saws"], name="saw", manufacturer="Makita", sku="S-2", gtin="4006381333931")
    make_product(name="old", status="archived", sku="S-3")
    response = as_viewer.get(f"{URL}?{query}")
    assert names(response) == found
    assert response.json()["count"] == len(found)


@pytest.mark.parametrize(
    ("category", "found"),
    [("tools", ["a", "b", "c"]), ("drills", ["a", "b"]), ("hammer-drills", ["b"]), ("safety", [])],
)
def test_a_category_brings_all_that_lies_below_it(
    as_viewer: APIClient, make_product: MakeProduct, tree: Tree, category: str, found: list[str]
) -> None:
    make_product(tree["drills"], name="a")
    make_product(tree["hammer-drills"], name="b")
    make_product(tree["saws"], name="c")
    assert names(as_viewer.get(f"{URL}?category={tree[category].pk}")) == found


def test_only_the_current_version_of_a_taxonomy_is_meant_by_its_code(
    as_viewer: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    make_product(tree["saws"], name="saw")
    create_taxonomy({"code": "shop", "version": "2", "name": "Shop", "is_current": True})
    assert names(as_viewer.get(f"{URL}?taxonomy=shop")) == []
    assert names(as_viewer.get(f"{URL}?taxonomy=shop@1")) == ["saw"]


def test_times_are_filtered_from_a_moment_on(as_viewer: APIClient, make_product: MakeProduct) -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for name, days in (("before", -1), ("then", 0), ("after", 1)):
        product = make_product(name=name)
        then = moment + timedelta(days=days)
        Product.objects.filter(pk=product.pk).update(created_at=then, updated_at=then)
    for field in ("created_after", "updated_after"):
        assert names(as_viewer.get(f"{URL}?{field}=2026-01-01T12:00:00Z")) == ["then", "after"]
        assert names(as_viewer.get(f"{URL}?{field}=2026-01-01T13:30:00%2B01:00")) == ["after"]


@pytest.mark.parametrize(
    ("query", "place", "code"),
    [
        ("colour=red", "/query/colour", "unknown_parameter"),
        ("status=sold", "/query/status", "invalid_choice"),
        ("category=999", "/query/category", "invalid_choice"),
        ("category=saws", "/query/category", "invalid_choice"),
        ("category=99999999999999999999999999", "/query/category", "invalid_choice"),
        ("taxonomy=other", "/query/taxonomy", "does_not_exist"),
        ("category__isnull=maybe", "/query/category__isnull", "invalid"),
        ("created_after=yesterday", "/query/created_after", "invalid"),
        ("sku=%00", "/query/sku", "null_characters_not_allowed"),
        ("search=" + "x" * 201, "/query/search", "max_length"),
        ("ordering=description", "/query/ordering", "invalid"),
        ("ordering=-", "/query/ordering", "invalid"),
        ("ordering=rank&search=x", "/query/ordering", "invalid"),
    ],
)
def test_what_a_list_does_not_understand_is_named(
    as_viewer: APIClient, query: str, place: str, code: str
) -> None:
    response = as_viewer.get(f"{URL}?{query}")
    assert response.status_code == 400
    assert places(response) == {place: code}


@pytest.mark.parametrize("field", ["id", "sku", "name", "created_at", "updated_at"])
def test_orderings_go_both_ways(as_viewer: APIClient, make_product: MakeProduct, field: str) -> None:
    for number in (2, 3, 1):
        make_product(sku=str(number), name=str(number))
    up = names(as_viewer.get(f"{URL}?ordering={field}"))
    assert up == (["1", "2", "3"] if field in {"sku", "name"} else ["2", "3", "1"])
    assert names(as_viewer.get(f"{URL}?ordering=-{field}")) == up[::-1]


def test_the_count_is_exact_after_every_kind_of_write(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    def counts() -> tuple[int, int]:
        every, drafts = as_editor.get(URL), as_editor.get(f"{URL}?status=draft")
        return every.json()["count"], drafts.json()["count"]

    assert counts() == (0, 0)
    first = make_product()
    assert counts() == (1, 1)
    created = as_editor.post(f"{URL}/bulk", {"create": [{"sku": str(n), "name": "x"} for n in range(20)]})
    assert counts() == (21, 21)
    as_editor.patch(f"{URL}/{first.pk}", {"status": "active"})
    assert counts() == (21, 20)
    as_editor.post(f"{URL}/bulk", {"delete": created.json()["created"][:5]})
    assert counts() == (16, 15)
    Product.objects.update(status="archived")
    assert counts() == (16, 0)
    Product.objects.all().delete()
    assert counts() == (0, 0)
