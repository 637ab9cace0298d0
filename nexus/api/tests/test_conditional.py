"""ETag, If-None-Match and If-Match"""

import pytest
from rest_framework.test import APIClient

from nexus.api.tests.conftest import PRODUCTS
from products.models import Product


@pytest.fixture
def url(product: Product) -> str:
    return f"{PRODUCTS}/{product.pk}"


def test_what_the_caller_has_is_not_sent_again(api: APIClient, url: str) -> None:
    tag = api.get(url).headers["ETag"]
    assert tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = api.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


def test_what_has_changed_is_sent(api: APIClient, url: str) -> None:
    tag = api.get(url).headers["ETag"]
    api.patch(url, {"name": "b"})
    answer = api.get(url, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_change_to_what_has_changed_since_is_refused(api: APIClient, url: str, method: str) -> None:
    tag = api.get(url).headers["ETag"]
    current = api.patch(url, {"name": "b"}).headers["ETag"]
    answer = getattr(api, method)(url, {"sku": "A", "name": "c"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert answer.headers["ETag"] == current
    assert Product.objects.get().name == "b"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_change_to_what_was_read_goes_through(api: APIClient, url: str, method: str) -> None:
    tag = api.get(url).headers["ETag"]
    answer = getattr(api, method)(url, {"sku": "A", "name": "c"}, headers={"If-Match": tag})
    assert answer.status_code in {200, 204}


def test_the_tag_of_every_answer_can_be_used_for_the_next_change(api: APIClient) -> None:
    body = {"sku": "B", "name": "b", "attributes": {"width": 1.0, "a": -0.0, "b": 1e-7, "zz": "ä", "é": True}}
    answer = api.post(PRODUCTS, body)
    for name in ("c", "d", "e"):
        answer = api.patch(
            answer.headers.get("Location", f"{PRODUCTS}/{answer.json()['id']}"),
            {"name": name, "attributes": {"width": 2.50, "height": 3, name: 0.1}},
            headers={"If-Match": answer.headers["ETag"]},
        )
        assert answer.status_code == 200


def test_a_weak_tag_matches_no_change(api: APIClient, url: str) -> None:
    tag = api.get(url).headers["ETag"]
    assert api.patch(url, {"name": "b"}, headers={"If-Match": f"W/{tag}"}).status_code == 412
    assert api.patch(url, {"name": "b"}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("header", ["x", '"', "", "W/", '"a", b', "💡"])
def test_a_header_that_is_no_list_of_tags_matches_nothing(api: APIClient, url: str, header: str) -> None:
    value = header.encode().decode("latin-1")
    assert api.get(url, headers={"If-None-Match": value}).status_code == 200
    assert api.patch(url, {"name": "b"}, headers={"If-Match": value}).status_code == 412
