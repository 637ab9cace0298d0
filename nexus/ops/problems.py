"""Problem details (RFC 9457): the body of every error that Nexus answers with."""

from http import HTTPStatus
from typing import Any

from nexus.ops.context import current_request_id

CONTENT_TYPE = "application/problem+json"


def problem_body(*, code: str, status: int, detail: str, instance: str) -> dict[str, Any]:
    """The members that every problem has; `instance` is the path that was asked for."""
    return {
        "type": f"urn:nexus:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": current_request_id(),
    }
