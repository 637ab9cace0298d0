"""``Idempotency-Key``: a POST that is sent twice is done once.

The answer is kept in the transaction of the work itself, so there is no moment in which one is without the other.
Only answers that did something (2xx) are kept: an error is made again from the same body.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from nexus.api.database import repeated_when_stopped
from nexus.api.errors import Conflict, invalid
from nexus.api.models import IdempotencyKey
from nexus.api.renderers import to_json

# The header, as WSGI names it.
IDEMPOTENCY_KEY = "HTTP_IDEMPOTENCY_KEY"
MAX_LENGTH = 255
KEY = re.compile(f"[!-~]{{1,{MAX_LENGTH}}}")
KEPT_FOR = timedelta(hours=24)
KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Preference-Applied")

Handler = Callable[..., Any]


@repeated_when_stopped
def idempotent(handler: Handler, request: Request, *args: Any, **kwargs: Any) -> Any:
    """The answer of `handler`, or the one that the same key and body got within the last 24 hours.

    A second request with the key of one that is still at work waits for it. Raises Problem: 400 for a key that is too
    long, 409 ``idempotency_key_reused`` for one that came with another request.
    """
    key = request.META[IDEMPOTENCY_KEY]
    if not KEY.fullmatch(key):
        raise invalid(
            "/headers/Idempotency-Key",
            "invalid",
            f"A key has 1 to {MAX_LENGTH} characters of ASCII, no blanks.",
        )
    digest = _digest(request)
    user_id = int(request.user.pk or 0)
    with transaction.atomic():
        _wait_for_others(user_id, key)
        kept = IdempotencyKey.objects.filter(
            user_id=user_id, key=key, created_at__gt=timezone.now() - KEPT_FOR
        ).first()
        if kept is None:
            response = handler(request, *args, **kwargs)
            _keep(request, user_id, key, digest, response)
            return response
    if bytes(kept.request_digest) != digest:
        raise Conflict("idempotency_key_reused", "This key was used before, with another request.")
    return _replay(kept)


def delete_expired() -> int:
    """Forget the answers that are older than 24 hours, and say how many."""
    return IdempotencyKey.objects.filter(created_at__lte=timezone.now() - KEPT_FOR).delete()[0]


def _digest(request: Request) -> bytes:
    prefer = request.headers.get("Prefer", "")
    media_type = request.content_type.partition(";")[0]
    what = f"{request.method} {request.get_full_path()}\n{media_type}\n{prefer}\n"
    digest = hashlib.sha256(what.encode())
    for part in _parts(request) if media_type == "multipart/form-data" else [request._request.body]:
        digest.update(part)
    return digest.digest()


def _parts(request: Request) -> Iterator[bytes]:
    """The values and files of a form; its bytes hold a boundary that is another each time it is sent."""
    form: Any = request.data
    for name, values in sorted(form.lists()):
        for value in values:
            yield f"\n{name} {len(value)}\n".encode()
            if isinstance(value, UploadedFile):
                yield from value.chunks()
                value.seek(0)
            else:
                yield value.encode()


def _wait_for_others(user_id: int, key: str) -> None:
    name = hashlib.sha256(f"idempotency {user_id} {key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(name[:8], signed=True)])


def _keep(request: Request, user_id: int, key: str, digest: bytes, response: HttpResponseBase) -> None:
    if not 200 <= response.status_code < 300:
        return
    if isinstance(response, Response):
        body, content_type = to_json(response.data) if response.data is not None else b"", "application/json"
    else:
        body, content_type = getattr(response, "content", b""), response.headers.get("Content-Type", "")
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    headers["Content-Type"] = content_type
    IdempotencyKey.objects.update_or_create(
        user_id=user_id,
        key=key,
        defaults={
            "request_digest": digest,
            "status": response.status_code,
            "headers": headers,
            "body": body,
            "created_at": timezone.now(),
        },
    )


def _replay(kept: IdempotencyKey) -> HttpResponseBase:
    response = HttpResponse(bytes(kept.body), status=kept.status, headers=kept.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response
