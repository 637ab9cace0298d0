"""Filters, of queries and of JSON documents"""

from typing import Any

import pytest
from rest_framework.test import APIClient

from nexus.api.errors import Problem
from nexus.api.filters import apply_filters
from nexus.api.tests.conftest import PRODUCTS
from products.filters import ProductFilterSet
from products.models import Product


def filtered(values: dict[str, Any]) -> list[Product]:
    return list(apply_filters(ProductFilterSet, values, Product.objects.all(), pointer="/filter"))


@pytest.mark.parametrize(
    "values", [{"category__isnull": True}, {"category__isnull": "true"}, {"status": "draft", "sku": "A"}, {}]
)
def test_a_json_document_filters_as_a_query_does(product: Product, values: dict[str, Any]) -> None:
    assert filtered(values) == [product]


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"colour": "red"}, "/filter/colour"),
        ({"a/b~c": "red"}, "/filter/a~1b~0c"),
        ({"page_size": 5}, "/filter/page_size"),
        ({"status": ["draft"]}, "/filter/status"),
        ({"status": None}, "/filter/status"),
        ({"status": {"in": []}}, "/filter/status"),
        ({"category__isnull": 1}, "/filter/category__isnull"),
        ({"category": 1.5}, "/filter/category"),
        ({"category": True}, "/filter/category"),
        ({"created_after": 5}, "/filter/created_after"),
        ({"sku": "\x00"}, "/filter/sku"),
    ],
)
def test_a_wrong_document_is_refused_with_the_place(db: None, values: dict[str, Any], place: str) -> None:
    with pytest.raises(Problem) as refusal:
        filtered(values)
    assert [error["pointer"] for error in refusal.value.errors] == [place]


def test_every_unknown_parameter_is_named(api: APIClient) -> None:
    response = api.get(f"{PRODUCTS}?colour=red&size=xl")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/query/colour", "/query/size"]
