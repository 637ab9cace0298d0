"""Idempotency-Key"""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf, MakeUser
from nexus.api.idempotency import delete_expired
from nexus.api.models import IdempotencyKey
from nexus.api.tests.conftest import PRODUCTS
from products.models import Product

BODY = {"sku": "A", "name": "a"}
KEY = {"Idempotency-Key": "key"}


def test_the_same_request_twice_is_done_once(api: APIClient) -> None:
    first = api.post(PRODUCTS, BODY, headers=KEY)
    second = api.post(PRODUCTS, BODY, headers=KEY)
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert Product.objects.count() == 1


def test_the_first_answer_stays_whatever_happened_since(api: APIClient) -> None:
    first = api.post(PRODUCTS, BODY, headers=KEY)
    api.delete(first.headers["Location"])
    assert api.post(PRODUCTS, BODY, headers=KEY).content == first.content
    assert not Product.objects.exists()


def test_a_key_goes_with_one_body_and_one_address(api: APIClient) -> None:
    api.post(PRODUCTS, BODY, headers=KEY)
    for url, body in (
        (PRODUCTS, {**BODY, "name": "b"}),
        (f"{PRODUCTS}/bulk", BODY),
        (f"{PRODUCTS}?x=1", BODY),
    ):
        answer = api.post(url, body, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


def test_keys_of_different_users_have_nothing_to_do_with_each_other(
    api: APIClient, client_of: ClientOf, make_user: MakeUser
) -> None:
    other: User = make_user("editor", email="other@example.org")
    api.post(PRODUCTS, BODY, headers=KEY)
    assert client_of(other).post(PRODUCTS, {"sku": "B", "name": "b"}, headers=KEY).status_code == 201


def test_an_error_is_not_kept(api: APIClient) -> None:
    owner = Product.objects.create(**BODY)
    assert api.post(PRODUCTS, BODY, headers=KEY).status_code == 409
    owner.delete()
    assert api.post(PRODUCTS, BODY, headers=KEY).status_code == 201


def test_a_key_is_forgotten_after_a_day(api: APIClient) -> None:
    api.post(PRODUCTS, BODY, headers=KEY)
    assert delete_expired() == 0
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    answer = api.post(PRODUCTS, {"sku": "B", "name": "b"}, headers=KEY)
    assert answer.json()["sku"] == "B"
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert delete_expired() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "a\tb", "\xe4"])
def test_a_key_has_1_to_255_characters_of_ascii(api: APIClient, key: str) -> None:
    answer = api.post(PRODUCTS, BODY, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/headers/Idempotency-Key"


def test_other_methods_take_no_notice_of_it(api: APIClient, product: Product) -> None:
    for name in ("b", "c"):
        answer = api.patch(f"{PRODUCTS}/{product.pk}", {"name": name}, headers=KEY)
        assert answer.json()["name"] == name


def test_without_a_right_there_is_no_answer_to_replay(
    api: APIClient, client_of: ClientOf, viewer: User
) -> None:
    api.post(PRODUCTS, BODY, headers=KEY)
    assert client_of(viewer).post(PRODUCTS, BODY, headers=KEY).status_code == 403
