"""POST /api/v1/products"""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from products.models import Product
from products.tests.conftest import URL, MakeProduct, Tree, places

WHOLE = {
    "sku": "MK-DHP484Z",
    "name": "18V LXT brushless hammer driver drill",
    "description": "Body only",
    "manufacturer": "Makita",
    "part_number": "DHP484Z",
    "gtin": "0088381803328",
    "attributes": {"voltage_v": 18, "brushless": True, "chuck": "13 mm"},
    "status": "active",
}


def test_a_product_is_created_and_shown_with_its_address(as_editor: APIClient, tree: Tree) -> None:
    leaf = tree["hammer-drills"]
    response = as_editor.post(URL, {**WHOLE, "category_id": leaf.pk})
    assert response.status_code == 201
    shown = response.json()
    assert response.headers["Location"] == f"http://testserver{URL}/{shown['id']}"
    assert {name: shown[name] for name in WHOLE} == WHOLE
    assert shown["category"] == {
        "id": leaf.pk,
        "code": "hammer-drills",
        "name": "Hammer drills",
        "path": "Tools > Drills > Hammer drills",
        "taxonomy": "shop",
    }
    assert shown["category_source"] == "manual"
    assert list(shown) == [
        *("id", "sku", "name", "description", "manufacturer", "part_number", "gtin", "attributes", "status"),
        *("category", "category_source", "created_at", "updated_at"),
    ]


def test_what_is_answered_is_what_is_read_afterwards(as_editor: APIClient, tree: Tree) -> None:
    created = as_editor.post(URL, {**WHOLE, "category_id": tree["saws"].pk})
    read = as_editor.get(created.headers["Location"])
    assert read.content == created.content
    assert read.headers["ETag"] == created.headers["ETag"]


def test_only_sku_and_name_are_needed(as_editor: APIClient) -> None:
    shown = as_editor.post(URL, {"sku": "A", "name": "B"}).json()
    assert shown["status"] == "draft"
    assert shown["attributes"] == {}
    assert shown["category"] is None
    assert shown["category_source"] is None


def test_a_sku_that_is_taken_is_a_conflict(as_editor: APIClient, make_product: MakeProduct) -> None:
    make_product(sku="A")
    response = as_editor.post(URL, {"sku": "A", "name": "B"})
    assert response.status_code == 409
    assert response.json()["code"] == "sku_taken"
    assert places(response) == {"/sku": "sku_taken"}


def test_every_mistake_is_named_at_once(as_editor: APIClient) -> None:
    response = as_editor.post(URL, {"sku": " ", "gtin": "123", "status": "sold", "colour": "red"})
    assert response.status_code == 400
    assert places(response) == {
        "/colour": "unknown_field",
        "/sku": "blank",
        "/name": "required",
        "/gtin": "gtin_length",
        "/status": "invalid_choice",
    }


@pytest.mark.parametrize("gtin", ["96385074", "614141000036", "4006381333931", "10614141000415"])
def test_gtins_of_every_length_are_accepted(as_editor: APIClient, gtin: str) -> None:
    assert as_editor.post(URL, {"sku": "A", "name": "B", "gtin": gtin}).status_code == 201


@pytest.mark.parametrize(
    ("gtin", "code"),
    [
        ("4006381333932", "gtin_check_digit"),
        ("400638133393", "gtin_check_digit"),
        ("40063813", "gtin_check_digit"),
        ("4006381333", "gtin_length"),
        ("４００６３８１３３３９３１", "gtin_length"),  # noqa: RUF001 - digits, but not those of ASCII
    ],
)
def test_a_wrong_gtin_is_refused(as_editor: APIClient, gtin: str, code: str) -> None:
    assert places(as_editor.post(URL, {"sku": "A", "name": "B", "gtin": gtin})) == {"/gtin": code}


@pytest.mark.parametrize(
    "attributes",
    [
        [],
        "text",
        {"a": None},
        {"a": {}},
        {"a": [1]},
        {"": 1},
        {"a": "x" * 2001},
        {"n" * 101: 1},
        {str(n): n for n in range(201)},
        {"a": 1e300},
        {"a": 2**53},
    ],
)
def test_attributes_are_a_flat_object_of_plain_values(as_editor: APIClient, attributes: Any) -> None:
    response = as_editor.post(URL, {"sku": "A", "name": "B", "attributes": attributes})
    assert response.status_code == 400
    assert list(places(response)) == ["/attributes"]


def test_a_category_that_does_not_exist_is_refused(as_editor: APIClient) -> None:
    response = as_editor.post(URL, {"sku": "A", "name": "B", "category_id": 999})
    assert response.status_code == 400
    assert places(response) == {"/category_id": "does_not_exist"}
    assert not Product.objects.exists()


def test_a_viewer_may_not_create_a_product(as_viewer: APIClient) -> None:
    response = as_viewer.post(URL, {"sku": "A", "name": "B"})
    assert response.status_code == 403
    assert response.json()["code"] == "permission_denied"


def test_a_user_without_a_role_may_not_even_read(client_of: ClientOf, stranger: User) -> None:
    assert client_of(stranger).get(URL).json()["code"] == "no_role"


def test_nobody_reads_without_signing_in(db: None) -> None:
    assert APIClient().get(URL).status_code == 401
