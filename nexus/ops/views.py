"""The views that probes and scrapers call: plain Django, open to all, and cheap."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from nexus.ops.health import check_health
from nexus.ops.metrics import exposition
from nexus.ops.problems import CONTENT_TYPE, problem_body

View = Callable[[HttpRequest], HttpResponse]

READING = ("GET", "HEAD")
JSON = "application/json"


def for_reading(view: View) -> View:
    """Answer GET and HEAD with the view, uncached, and every other method with a 405 problem."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        response = view(request) if request.method in READING else method_not_allowed(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    """A 405 in problem details (RFC 9457)."""
    problem = problem_body(
        code="method_not_allowed",
        status=405,
        detail=f"Method {request.method!r} is not allowed here.",
        instance=request.path,
    )
    response = json_response(problem, status=405, content_type=CONTENT_TYPE)
    response.headers["Allow"] = ", ".join(READING)
    return response


def json_response(body: Any, status: int = 200, content_type: str = JSON) -> HttpResponse:
    """`body` as JSON."""
    return HttpResponse(orjson.dumps(body), status=status, content_type=content_type)


@for_reading
def health(request: HttpRequest) -> HttpResponse:
    """``/health``: 200 when requests can be answered, 503 when not."""
    body = check_health()
    return json_response(body, status=503 if body["status"] == "unavailable" else 200)


@for_reading
def live(request: HttpRequest) -> HttpResponse:
    """``/health/live``: 200 while the process can answer at all."""
    return json_response({"status": "ok"})


@for_reading
def metrics(request: HttpRequest) -> HttpResponse:
    """``/metrics``: Prometheus' text format."""
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
