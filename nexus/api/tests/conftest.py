"""The API kit is seen through products, which use all of it."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from products.models import Product

PRODUCTS = "/api/v1/products"


@pytest.fixture
def api(client_of: ClientOf, editor: User) -> APIClient:
    """A client that may read and write products."""
    return client_of(editor)


@pytest.fixture
def product(db: None) -> Product:
    return Product.objects.create(sku="A", name="a")
