"""What the pages that show the API need beside the files of drf-spectacular, so that no other server is asked."""

from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

from nexus.ops.views import READING, method_not_allowed

REDOC = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
# ReDoc shows its makers' logo, from their server; the text beside it stays.
LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
NOTHING = b"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"


@cache_control(public=True, max_age=86400)
def redoc_script(request: HttpRequest) -> HttpResponse:
    """ReDoc, without a request to its makers' server."""
    if request.method not in READING:
        return method_not_allowed(request)
    return HttpResponse(_redoc(), content_type="text/javascript; charset=utf-8")


@lru_cache(maxsize=1)
def _redoc() -> bytes:
    found = finders.find(REDOC)
    assert isinstance(found, str), "drf-spectacular-sidecar brings ReDoc"
    return Path(found).read_bytes().replace(LOGO, NOTHING)
