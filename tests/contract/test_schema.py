"""The OpenAPI schema tells all there is, and nothing else."""

from typing import Any

from rest_framework.test import APIClient

from tests.contract.conftest import expect_nothing
from tests.contract.routes import PAGES, operations

# Files about the API, not the API.
UNDESCRIBED = PAGES - {"/metrics"}
EXAMPLES = {"example", "examples"}


def described(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations of the schema by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_is_in_the_schema_and_no_other(schema: dict[str, Any]) -> None:
    real = {str(o).replace("{pk}", "{id}") for o in operations() if o.path not in UNDESCRIBED}
    assert set(described(schema)) == real


def test_every_operation_says_what_it_is_and_how_it_fails(schema: dict[str, Any]) -> None:
    faults = {}
    for name, operation in described(schema).items():
        lacking = {"summary", "tags", "operationId", "responses"} - set(operation)
        told = operation.get("description") or any(
            EXAMPLES & set(content)
            for answer in operation["responses"].values()
            for content in answer.get("content", {}).values()
        )
        errors = {status for status in operation["responses"] if status >= "400"}
        if (
            name.partition(" ")[2] not in {"/health", "/health/live", "/metrics"}
            and not {"400", "500"} <= errors
        ):
            lacking.add("errors")
        faults[name] = str(lacking) if lacking or not told else ""
    expect_nothing(faults)


def test_every_error_is_a_problem(schema: dict[str, Any]) -> None:
    faults = {}
    for name, operation in described(schema).items():
        for status, answer in operation["responses"].items():
            if status < "400" or (status == "503" and name == "GET /health"):
                continue
            faults[f"{name} {status}"] = (
                "" if list(answer["content"]) == ["application/problem+json"] else "other"
            )
    expect_nothing(faults)


def test_every_operation_id_is_one_of_a_kind(schema: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in described(schema).values()]
    assert len(ids) == len(set(ids))


def test_the_schema_is_served_as_openapi_3_1(db: None) -> None:
    answer = APIClient().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
