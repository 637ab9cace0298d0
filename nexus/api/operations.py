"""The plain views of `nexus.ops` in the OpenAPI schema, which knows REST framework's views only."""

from typing import Any

TAG = "Operations"


def add_operations(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add ``/health``, ``/health/live`` and ``/metrics`` to a schema."""
    check = {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["ok", "unavailable"]},
            "latency_ms": {"type": ["number", "null"]},
        },
    }
    health = {
        "type": "object",
        "required": ["status", "checks"],
        "properties": {
            "status": {"type": "string", "enum": ["ok", "degraded", "unavailable"]},
            "checks": {
                "type": "object",
                "properties": {"database": check, "redis": check, "migrations": check},
            },
        },
        "example": {
            "status": "ok",
            "checks": {
                "database": {"status": "ok", "latency_ms": 0.4},
                "redis": {"status": "ok", "latency_ms": 0.1},
                "migrations": {"status": "ok"},
            },
        },
    }
    live = {"type": "object", "properties": {"status": {"type": "string", "enum": ["ok"]}}}
    paths = {
        "/health": _get(
            "health",
            "Whether requests can be answered",
            "For load balancers: answers within two seconds whatever is down.",
            {"200": ("`ok`, or `degraded` without Redis.", "application/json", health)}
            | {"503": ("`unavailable`: no database, or migrations are missing.", "application/json", health)},
        ),
        "/health/live": _get(
            "health_live",
            "Whether the process can answer",
            "For container engines: touches neither the database nor Redis.",
            {"200": ("It can; nothing else was asked.", "application/json", live)},
        ),
        "/metrics": _get(
            "metrics",
            "Metrics for Prometheus",
            "In its text format.",
            {"200": ("Of all server processes together.", "text/plain", {"type": "string"})},
        ),
    }
    result["paths"] = dict(sorted({**result["paths"], **paths}.items()))
    return result


def _get(
    operation_id: str, summary: str, description: str, answers: dict[str, tuple[str, str, dict[str, Any]]]
) -> dict[str, Any]:
    return {
        "get": {
            "operationId": operation_id,
            "summary": summary,
            "description": description,
            "tags": [TAG],
            "security": [{}],
            "responses": {
                status: {"description": description, "content": {media_type: {"schema": schema}}}
                for status, (description, media_type, schema) in answers.items()
            },
        }
    }
