"""The paths of operations, and some that misbehave for the tests."""

import logging
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path

from nexus.ops.context import bind


def product(request: HttpRequest, pk: int) -> JsonResponse:
    """Tells what the request looks like to a view."""
    return JsonResponse({"path": request.path, "request_id": request.request_id})  # type: ignore[attr-defined]


def signed_in(request: HttpRequest) -> HttpResponse:
    """Does what authentication does."""
    bind(user=42)
    return HttpResponse(b"hello")


def failing(request: HttpRequest) -> HttpResponse:
    """Raises what nobody expects."""
    raise RuntimeError("nobody expects this")


def export(request: HttpRequest) -> StreamingHttpResponse:
    """Streams."""

    def lines() -> Iterator[bytes]:
        logging.getLogger("nexus.test").info("streaming")
        yield b"one\n"
        yield b"two\n"

    return StreamingHttpResponse(lines())


def server_error(request: HttpRequest) -> HttpResponse:
    """``handler500``."""
    return HttpResponse(status=500)


handler500 = server_error

urlpatterns = [
    path("", include("nexus.ops.urls")),
    path("test/products/<int:pk>", product),
    path("test/signed-in", signed_in),
    path("test/failing", failing),
    path("test/export", export),
    path("admin/test/", signed_in),
]
