"""The outermost middleware: gives a request its id, counts it, measures it and writes its one log line."""

import logging
import re
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from nexus.ops import metrics, requests
from nexus.ops.address import client_address
from nexus.ops.context import current_user_id, new_request_id, open_request
from nexus.ops.status import commit

logger = logging.getLogger("nexus.request")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Django's admin and the static files have paths of their own making.
SLASHED_PREFIXES = ("/admin/", "/static/")
QUIET_PATHS = frozenset({"/health", "/health/live", "/metrics"})
STATUSES_WITHOUT_BODY = frozenset({204, 304})


class RequestMiddleware:
    """Sets ``request.request_id`` and the header ``X-Request-ID``; serves ``/path/`` as ``/path``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # Asked for when the server starts: later the checkout may be ahead of what runs.
        commit()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The response to `request`."""
        started = perf_counter()
        request_id = request.META.get("HTTP_X_REQUEST_ID", "")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = new_request_id()
        request.request_id = request_id  # type: ignore[attr-defined]
        open_request(request_id)
        strip_trailing_slash(request)
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        size = set_length(response)
        seconds = perf_counter() - started
        count_request(request, response, seconds)
        log_request(request, response, seconds, size)
        return response


def strip_trailing_slash(request: HttpRequest) -> None:
    """Take one slash off the end of the path, where paths have none."""
    path = request.path_info
    if path.endswith("/") and len(path) > 1 and not path.startswith(SLASHED_PREFIXES):
        request.path_info = path[:-1]
        request.path = request.path[:-1]


def set_length(response: HttpResponseBase) -> int | None:
    """Give the response its length in bytes, and return it; None for a stream."""
    if not isinstance(response, HttpResponse):
        return None
    size = len(response.content)
    if response.status_code in STATUSES_WITHOUT_BODY:
        response.headers.pop("Content-Type", None)
    else:
        response.headers.setdefault("Content-Length", str(size))
    return size


def route_of(request: HttpRequest) -> str:
    """The template of the path, such as ``/api/v1/products/<int:pk>``, or ``unmatched``."""
    return f"/{request.resolver_match.route}" if request.resolver_match else "unmatched"


def count_request(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Count the request for Prometheus and, unless it is a probe, for ``/status``."""
    metrics.count_request(request.method or "", route_of(request), response.status_code, seconds)
    if request.path_info not in QUIET_PATHS:
        requests.tally.add(seconds)


def log_request(request: HttpRequest, response: HttpResponseBase, seconds: float, size: int | None) -> None:
    """Write the request's line; probes are only told to those who debug."""
    status = response.status_code
    level = logging.ERROR if status >= 500 else logging.INFO
    if request.path_info in QUIET_PATHS:
        level = logging.DEBUG
    if logger.isEnabledFor(level):
        facts = {
            "method": request.method,
            "path": request.path,
            "status": status,
            "route": route_of(request),
            "ms": round(seconds * 1000, 2),
            "bytes": size,
            "user": current_user_id(),
            "ip": client_address(request),
        }
        logger.log(level, "%s %s %s", request.method, request.path, status, extra=facts)
