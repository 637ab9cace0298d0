"""Conditional requests (RFC 9110, section 13): strong entity tags made of what they stand for."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request

from nexus.api.errors import PreconditionFailed
from nexus.api.renderers import to_json


def entity_tag(body: bytes) -> str:
    """The strong entity tag of a representation: the same bytes, the same tag, and no others."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def answer(request: HttpRequest | Request, data: object, status: int = 200, **headers: str) -> HttpResponse:
    """One resource as JSON with its entity tag; 304 without a body when the caller has it already."""
    body = to_json(data)
    tag = entity_tag(body)
    headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"ETag": tag}
    if is_known(request, tag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def is_known(request: HttpRequest | Request, tag: str) -> bool:
    """Whether the caller who reads something has what the tag stands for already (``If-None-Match``)."""
    known = request.META.get("HTTP_IF_NONE_MATCH")
    return bool(known) and request.method in {"GET", "HEAD"} and _matches(str(known), tag, weak=True)


def check_precondition(request: HttpRequest | Request, data: object) -> None:
    """Raise PreconditionFailed when ``If-Match`` names another state than `data`, the resource as it is.

    Call it with the row locked, so that the state is still the same when it is changed.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return
    tag = entity_tag(to_json(data))
    if not _matches(wanted, tag, weak=False):
        raise PreconditionFailed(
            "precondition_failed",
            "The resource has changed since it was read. Read it again, and decide again.",
            headers={"ETag": tag},
        )


def _matches(header: str, tag: str, *, weak: bool) -> bool:
    tags = parse_etags(header)
    return tags == ["*"] or tag in tags or (weak and f"W/{tag}" in tags)
