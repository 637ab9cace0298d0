"""What the OpenAPI schema says of accounts."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

OPERATIONS = {
    ("post", "/auth/login"): "200",
    ("post", "/auth/refresh"): "200",
    ("post", "/auth/logout"): "204",
    ("get", "/auth/me"): "200",
    ("patch", "/auth/me"): "200",
    ("post", "/auth/password"): "204",
    ("get", "/auth/sessions"): "200",
    ("delete", "/auth/sessions/{id}"): "204",
    ("get", "/api/v1/users"): "200",
    ("post", "/api/v1/users"): "201",
    ("get", "/api/v1/users/{id}"): "200",
    ("put", "/api/v1/users/{id}"): "200",
    ("patch", "/api/v1/users/{id}"): "200",
    ("delete", "/api/v1/users/{id}"): "204",
}


@pytest.fixture(scope="module")
def schema() -> dict:
    return SchemaGenerator().get_schema(public=True)


@pytest.mark.parametrize(("operation", "status"), OPERATIONS.items())
def test_every_operation_is_described(schema: dict, operation: tuple[str, str], status: str) -> None:
    method, path = operation
    description = schema["paths"][path][method]

    assert description["summary"]
    assert description["tags"] in (["Authentication"], ["Users"])
    assert status in description["responses"]
    assert "401" in description["responses"]


def test_login_and_refresh_need_no_token(schema: dict) -> None:
    for path in ("/auth/login", "/auth/refresh"):
        assert not schema["paths"][path]["post"].get("security")
    assert {"accessToken": []} in schema["paths"]["/auth/me"]["get"]["security"]


def test_nothing_is_left_to_guess(schema: dict) -> None:
    assert not [
        message
        for message in [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
        if "accounts" in str(message)
    ]
