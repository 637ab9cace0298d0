"""How bodies are read"""

from typing import Any

import pytest
from rest_framework.test import APIClient

from nexus.api.tests.conftest import PRODUCTS


def post(api: APIClient, body: Any, content_type: str = "application/json") -> dict[str, object]:
    answer = api.generic("POST", PRODUCTS, body, content_type=content_type)
    return {"status": answer.status_code, **answer.json()}


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'a': 1}", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1,}', b'{"a": "\xff"}', b"\xef\xbb\xbf{}"],
)
def test_what_is_not_json_by_the_letter_is_refused(api: APIClient, body: bytes) -> None:
    answer = post(api, body)
    assert (answer["status"], answer["code"]) == (400, "malformed_json")


def test_null_characters_are_refused_where_they_stand(api: APIClient) -> None:
    answer = post(api, b'{"sku": "a", "name": "b", "attributes": {"colour": "r\\u0000d"}}')
    assert answer["status"] == 400
    assert answer["errors"][0]["pointer"] == "/attributes/colour"  # type: ignore[index]


@pytest.mark.parametrize("depth", [65, 1000])
def test_documents_have_a_depth(api: APIClient, depth: int) -> None:
    answer = post(api, b'{"attributes": ' + b"[" * depth + b"]" * depth + b"}")
    assert answer["status"] == 400
    assert answer["code"] in {"invalid", "malformed_json"}


def test_other_media_types_are_refused(api: APIClient) -> None:
    for content_type in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "x"):
        assert post(api, b"{}", content_type)["status"] == 415


def test_a_body_over_ten_mebibytes_is_refused(api: APIClient) -> None:
    answer = post(api, b'{"name": "' + b"x" * 10 * 1024 * 1024 + b'"}')
    assert (answer["status"], answer["code"]) == (413, "body_too_large")


def test_only_json_is_answered(api: APIClient) -> None:
    assert api.get(PRODUCTS, headers={"Accept": "text/csv"}).status_code == 406
    assert api.get(PRODUCTS, headers={"Accept": "application/*"}).status_code == 200
