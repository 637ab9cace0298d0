"""Who has a browser goes through sessions and the protection of forms, wherever the house stands."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("prefix", ["", "/nexus"])
def test_the_admin_site_is_protected_under_a_prefix_too(prefix: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get("/admin/login/", SCRIPT_NAME=prefix).status_code == 200
    refused = client.post("/admin/login/", {"username": "a", "password": "b"}, SCRIPT_NAME=prefix)
    assert refused.status_code == 403


@pytest.mark.parametrize("prefix", ["", "/nexus"])
def test_no_cache_keeps_answers_of_the_api_under_a_prefix_either(prefix: str) -> None:
    answer = Client().get("/api/v1/products", SCRIPT_NAME=prefix)
    assert answer["Cache-Control"] == "private, no-cache"
