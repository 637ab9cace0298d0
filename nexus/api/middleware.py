"""What answers may make a browser do, and limits that every request keeps."""

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from nexus.api.errors import Problem, response

GetResponse = Callable[[HttpRequest], HttpResponse]

# Answers of the API are data: nothing in them may be run, framed or sniffed.
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
# The admin and the docs run their own files, and nobody else's. Swagger UI and ReDoc set styles inline.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
DEVICES = "camera=(), geolocation=(), microphone=()"


class ContentPolicyMiddleware:
    """Adds the headers that Django's own middleware does not (OWASP Secure Headers Project)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        answer.headers.setdefault("Permissions-Policy", DEVICES)
        page = answer.headers.get("Content-Type", "").startswith("text/html")
        answer.headers.setdefault("Content-Security-Policy", PAGE_POLICY if page else API_POLICY)
        if request.path_info.startswith(("/api/", "/auth/", "/status")):
            answer.headers.setdefault("Cache-Control", "private, no-cache")
        return answer


# The largest body that is read to its end for no use.
SWALLOWED_BYTES = 2 * settings.MAX_UPLOAD_BYTES


def swallow(request: HttpRequest, length: int) -> None:
    """Read a body and keep nothing of it: a client does not look for an answer until all is sent."""
    if length <= SWALLOWED_BYTES:
        with suppress(UnreadablePostError):
            while request.read(65_536):
                pass


class RequestLimitsMiddleware:
    """Refuses bodies that are too large before a byte of them is kept, and bodies of unknown length."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        uploading = request.META.get("CONTENT_TYPE", "").startswith("multipart/form-data")
        limit = settings.MAX_UPLOAD_BYTES if uploading else settings.MAX_BODY_BYTES
        if length.isdigit() and int(length) > limit:
            swallow(request, int(length))
            return response(
                request,
                Problem("body_too_large", f"The body may have {limit // settings.MEBIBYTE} MiB.", status=413),
            )
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", ""):
            return response(
                request,
                Problem("length_required", "Send the body with a Content-Length.", status=411),
            )
        return self.get_response(request)
