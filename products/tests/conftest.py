"""A small taxonomy, products in it, and clients of each role."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from products.models import Category, Product, Taxonomy
from products.services.loading import load_taxonomy
from products.services.products import create_product
from products.taxonomy_files.reading import CategoryRow

ROWS = [
    CategoryRow("tools", "Tools"),
    CategoryRow("drills", "Drills", "tools", ["drill", "driver"]),
    CategoryRow("hammer-drills", "Hammer drills", "drills", ["combi drill", "percussion drill"]),
    CategoryRow("saws", "Saws", "tools"),
    CategoryRow("safety", "Safety"),
]
URL = "/api/v1/products"

MakeProduct = Callable[..., Product]
Tree = dict[str, Category]


@pytest.fixture
def taxonomy(db: None) -> Taxonomy:
    return load_taxonomy("shop", "1", "Shop", ROWS)


@pytest.fixture
def tree(taxonomy: Taxonomy) -> Tree:
    """The categories of the taxonomy by code."""
    return {category.code: category for category in taxonomy.categories.select_related("taxonomy")}


@pytest.fixture
def make_product(db: None) -> MakeProduct:
    """Make products: ``make_product(name=..., category=...)``; their SKUs count up."""
    numbers = iter(range(1, 1_000_000))

    def make(category: Category | None = None, **fields: Any) -> Product:
        number = next(numbers)
        fields = {"sku": f"SKU-{number:04}", "name": f"Product {number}", **fields}
        return create_product({**fields, "category_id": category.pk if category else None})

    return make


@pytest.fixture
def as_viewer(client_of: ClientOf, viewer: User) -> APIClient:
    return client_of(viewer)


@pytest.fixture
def as_editor(client_of: ClientOf, editor: User) -> APIClient:
    return client_of(editor)


@pytest.fixture
def as_administrator(client_of: ClientOf, administrator: User) -> APIClient:
    return client_of(administrator)


def places(response: Any) -> dict[str, str]:
    """The codes of a problem by the places it names."""
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}


def names(response: Any) -> list[str]:
    """The names in a page of a list."""
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]
