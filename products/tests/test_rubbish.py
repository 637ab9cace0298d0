"""Whatever is sent, the answer is a problem that says what is wrong, never a fault of the server."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from products.tests.conftest import URL, MakeProduct, Tree

VALUES: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        "",
        " ",
        "x" * 30_000,
        "\x00",
        "\ud800".encode("utf-8", "surrogatepass"),
    ),
    *([], [[]], {}, {"id": "x"}, {"id": None}, {"a": {"b": 1}}, "ﷺ", "2026-13-45", "NaN"),
]
FIELDS = [
    *("id", "sku", "name", "description", "manufacturer", "part_number", "gtin", "attributes", "status"),
    *("category", "category_id", "category_source", "created_at", "updated_at"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def send(client: APIClient, method: str, url: str, body: Any) -> int:
    answer = client.generic(method, url, body, content_type="application/json")
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["request_id"]
    return int(answer.status_code)


def encoded(document: Any) -> bytes:
    return json.dumps(
        document, default=lambda value: value.decode("utf-8", "surrogatepass"), ensure_ascii=True
    ).encode()


@pytest.mark.parametrize("field", FIELDS)
def test_no_value_of_a_field_is_a_fault(as_editor: APIClient, make_product: MakeProduct, field: str) -> None:
    url = f"{URL}/{make_product().pk}"
    for number, value in enumerate(VALUES):
        body = {"sku": f"{field}{number}", "name": "x", field: value}
        assert send(as_editor, "POST", URL, encoded(body)) in {201, 400, 409}
        assert send(as_editor, "PATCH", url, encoded({field: value})) in {200, 400, 409}
        bulk = {"create": [body | {"sku": f"{field}-{number}"} | {field: value}], "update": [{field: value}]}
        assert send(as_editor, "POST", f"{URL}/bulk", encoded(bulk)) in {200, 400, 409}
    assert as_editor.get(f"{URL}?page_size=500").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"sku": "\xff"}',
        b'{"sku": NaN}',
        b'{"sku": "a", "sku": "b"}',
        b"[" * 10_000,
        b'{"attributes": {"a": 1e400}, "sku": "A", "name": "B"}',
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
def test_no_body_is_a_fault(as_editor: APIClient, body: bytes) -> None:
    for url in (URL, f"{URL}/bulk", "/api/v1/taxonomies", "/api/v1/categories"):
        assert send(as_editor, "POST", url, body) in {200, 400, 403}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_no_product_is_a_fault(as_editor: APIClient, document: Any) -> None:
    assert send(as_editor, "POST", URL, json.dumps(document).encode()) in {201, 400, 409}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=JSON)
def test_no_category_is_a_fault(as_administrator: APIClient, tree: Tree, document: Any) -> None:
    for field in ("taxonomy", "parent", "code", "name", "keywords", "description"):
        body = {"taxonomy": "shop", "code": "c", "name": "n", field: document}
        assert send(as_administrator, "POST", "/api/v1/categories", json.dumps(body).encode()) in {
            201,
            400,
            409,
        }


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30))
def test_no_query_is_a_fault(as_viewer: APIClient, make_product: MakeProduct, text: str) -> None:
    for name in (
        "search",
        "status",
        "manufacturer",
        "category",
        "taxonomy",
        "created_after",
        "sku",
        "cursor",
    ):
        assert as_viewer.get(URL, {name: text.encode("utf-8", "replace").decode()}).status_code in {200, 400}


def test_a_body_of_another_type_is_refused(as_editor: APIClient) -> None:
    answer = as_editor.post(URL, "sku=A&name=B", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415


def test_a_method_that_is_not_there_is_refused(as_editor: APIClient) -> None:
    assert as_editor.delete(URL).status_code == 405
    assert as_editor.get(f"{URL}/bulk").status_code == 405
