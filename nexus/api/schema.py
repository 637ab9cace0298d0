"""What the OpenAPI schema says of every operation, so that no view has to."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.utils import OpenApiParameter

PROBLEM = "Problem"
KNOWN = "If-None-Match"
# Which errors an operation can answer with, beside its own.
ALWAYS = {
    "400": "The request is wrong; `errors` names the places.",
    "401": "Sign in (again): the access token is missing, has run out, or its session has ended.",
    "403": "The user's roles do not allow this.",
    "404": "There is nothing here, or not for this user.",
    "406": "Only JSON is spoken here.",
    "429": "Too many requests; `Retry-After` says when to go on.",
    "500": "A fault of the server.",
    "503": "The database does not answer at the moment.",
}
WITH_A_BODY = {
    "409": "The request does not fit the present state.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
}
CHANGING = {"409": "The resource is in use.", "412": "The resource has changed since (`If-Match`)."}


class AutoSchema(SpectacularSchema):
    """Adds the request headers that every operation of a kind understands."""

    def get_override_parameters(self) -> list[Any]:
        """``Idempotency-Key`` on POST, ``If-Match`` on changes, ``If-None-Match`` on single resources."""
        parameters = list(super().get_override_parameters())
        if self.method == "POST" and self.view.authentication_classes:
            parameters.append(
                _header(
                    "Idempotency-Key",
                    "The same key with the same body is done once in 24 hours.",
                    minLength=1,
                    maxLength=255,
                    pattern="^[!-~]+$",
                )
            )
        elif self.method in {"PUT", "PATCH", "DELETE"}:
            parameters.append(_header("If-Match", "Go on only if the resource still has this `ETag`."))
        elif self.path.endswith(("}", "/me")):
            parameters.append(_header(KNOWN, "Answer 304 if the resource still has this `ETag`."))
        return parameters


def _header(name: str, description: str, **rules: object) -> OpenApiParameter:
    schema = {"type": "string", **rules}
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)


def add_problem_responses(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the answers of every kind of error to each operation of a schema."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})[PROBLEM] = _problem_schema()
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            errors = dict(ALWAYS)
            # Without `security` an operation is open to all: the schema names none for the whole API.
            if not operation.get("security") or {} in operation["security"]:
                errors.pop("403")
            # What a POST names in its body may not be there either.
            if "{" not in path and method != "post":
                errors.pop("404")
            if method in {"post", "put", "patch"}:
                errors |= WITH_A_BODY
            if method in {"put", "patch", "delete"}:
                errors |= CHANGING
            for status, description in errors.items():
                operation["responses"].setdefault(status, _problem_response(description))
            if any(parameter["name"] == KNOWN for parameter in operation.get("parameters", [])):
                operation["responses"]["304"] = {"description": f"As the caller has it (`{KNOWN}`)."}
    return result


def refuse_unknown_fields(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say of every body that it has no other fields than those it names."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request") and "properties" in schema:
            schema["additionalProperties"] = False
    return result


def _problem_response(description: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    place = {
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": {
            "pointer": text | {"description": "A JSON pointer into the body, or `/query/<name>`."},
            "code": text,
            "detail": text,
        },
    }
    return {
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
        "properties": {
            "type": text | {"format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text | {"description": "For people."},
            "instance": text | {"description": "The path that was asked for."},
            "code": text | {"description": "For programs; stable."},
            "request_id": text,
            "errors": {"type": "array", "items": place},
        },
        "example": {
            "type": "urn:nexus:problem:invalid",
            "title": "Bad Request",
            "status": 400,
            "detail": "/name: This field is required.",
            "instance": "/api/v1/products",
            "code": "invalid",
            "request_id": "0c4f1a6e8d5b4b0f9f6d2d3b7a1c9e55",
            "errors": [{"pointer": "/name", "code": "required", "detail": "This field is required."}],
        },
    }
