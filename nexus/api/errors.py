"""Every error of Nexus as problem details: ``application/problem+json`` (RFC 9457), whatever raised it.

`code` is stable and meant for programs, `detail` is meant for people, `errors` names the places in the request by
JSON pointer (RFC 6901); parameters of the query are named ``/query/<name>``.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import requires_csrf_token
from rest_framework import exceptions
from rest_framework.settings import api_settings

from nexus.ops.problems import CONTENT_TYPE, problem_body

logger = logging.getLogger(__name__)

DATABASE_RETRY_AFTER_S = 2


class Problem(exceptions.APIException):
    """An error with everything that its answer needs. Services and views raise it or one of its kinds."""

    status_code = 400

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.code, self.errors, self.headers = code, list(errors), dict(headers or {})
        if status is not None:
            self.status_code = status


class NotFound(Problem):
    """What was asked for does not exist, or the user may not know that it does."""

    status_code = 404


class Conflict(Problem):
    """The request is well formed, but does not fit the state that things are in."""

    status_code = 409


class Forbidden(Problem):
    """The roles of a user do not allow what was asked for."""

    status_code = 403

    def __init__(self, detail: str = "Your roles do not allow this.") -> None:
        super().__init__("permission_denied", detail)


class PreconditionFailed(Problem):
    """The resource has changed since the caller read it."""

    status_code = 412


def invalid(pointer: str, code: str, detail: str) -> Problem:
    """A 400 about one place of the request."""
    return invalid_request([{"pointer": pointer, "code": code, "detail": detail}])


def invalid_request(errors: Sequence[Mapping[str, str]]) -> Problem:
    """A 400 about several places of the request, each ``{pointer, code, detail}``."""
    first = errors[0]
    detail = f"{first['pointer'] or 'The body'}: {first['detail']}"
    if len(errors) > 1:
        detail += f" ({len(errors) - 1} more)"
    return Problem("invalid", detail, errors=errors)


def pointer_of(*parts: object) -> str:
    """A JSON pointer to a place in a document, each part escaped (RFC 6901, section 3)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def flatten(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """The nested details of a REST framework ValidationError as ``{pointer, code, detail}``, one for each error."""
    if isinstance(detail, dict):
        for name, below in detail.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from flatten(below, pointer if own else pointer + pointer_of(name))
    elif isinstance(detail, list):
        for index, below in enumerate(detail):
            nested = isinstance(below, (dict, list))
            yield from flatten(below, pointer + pointer_of(index) if nested else pointer)
    else:
        yield {"pointer": pointer, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def response(request: HttpRequest | None, problem: Problem) -> HttpResponse:
    """The answer to a request that ended in a problem."""
    body = problem_body(
        code=problem.code,
        status=problem.status_code,
        detail=str(problem.detail),
        instance=request.path if request is not None else "",
    )
    if problem.errors:
        body["errors"] = problem.errors
    return HttpResponse(
        # A path with broken UTF-8 holds surrogates, which no JSON may.
        orjson.dumps(_printable(body)),
        status=problem.status_code,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_printable(name): _printable(content) for name, content in value.items()}
    if isinstance(value, list):
        return [_printable(content) for content in value]
    return value


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """What Django REST framework calls for every exception that leaves a view."""
    request = context["request"]._request if context.get("request") is not None else None
    return response(request, to_problem(exc))


def to_problem(exc: BaseException) -> Problem:
    """The problem that tells a caller about an exception, and no more than the caller may know."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, exceptions.APIException):
        return _from_rest_framework(exc)
    if isinstance(exc, Http404):
        return NotFound("not_found", "There is nothing here, or not for you.")
    if isinstance(exc, PermissionDenied):
        return Forbidden()
    if isinstance(exc, DjangoValidationError):
        return invalid_request(list(_from_django_validation(exc)))
    if isinstance(exc, RequestDataTooBig):
        return Problem("body_too_large", "The body is larger than is accepted here.", status=413)
    if isinstance(exc, SuspiciousOperation):
        return Problem("bad_request", "The request could not be understood.")
    return _from_database(exc) or _unexpected(exc)


def _from_rest_framework(exc: exceptions.APIException) -> Problem:
    if isinstance(exc, exceptions.ValidationError):
        return invalid_request(list(flatten(exc.detail)))
    headers = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if isinstance(exc, exceptions.Throttled):
        headers["Retry-After"] = str(max(1, int(getattr(exc, "wait", None) or 1)))
    code = exc.get_codes()
    return Problem(
        code if isinstance(code, str) else exc.default_code,
        str(exc.detail),
        status=exc.status_code,
        headers=headers,
    )


def _from_django_validation(exc: DjangoValidationError) -> Iterator[dict[str, str]]:
    by_field = exc.error_dict if hasattr(exc, "error_dict") else {"": exc.error_list}
    for field, errors in by_field.items():
        pointer = "" if field in {"", "__all__"} else pointer_of(field)
        for error in errors:
            detail = error.message % error.params if error.params else error.message
            yield {"pointer": pointer, "code": error.code or "invalid", "detail": str(detail)}


def _from_database(exc: BaseException) -> Problem | None:
    if isinstance(exc, (OperationalError, InterfaceError)):
        logger.warning("The database did not answer: %s", type(exc).__name__, exc_info=exc)
        return Problem(
            "database_unavailable",
            "The database does not answer at the moment. Try again soon.",
            status=503,
            headers={"Retry-After": str(DATABASE_RETRY_AFTER_S)},
        )
    if isinstance(exc, ProtectedError):
        return Conflict("in_use", "Other things still refer to this, so it cannot be deleted.")
    if isinstance(exc, DataError):
        logger.warning("The database refused a value", exc_info=exc)
        return Problem("invalid_value", "A value is outside of what can be stored.")
    return None


def _unexpected(exc: BaseException) -> Problem:
    logger.error("Unexpected error: %s", type(exc).__name__, exc_info=exc)
    return Problem(
        "internal_error",
        "Something went wrong on the server. Report the request_id to whoever runs it.",
        status=500,
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler400``."""
    return response(request, to_problem(exception) if exception else Problem("bad_request", "Bad request."))


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler403``."""
    return response(request, to_problem(PermissionDenied()))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler404``."""
    return response(request, NotFound("not_found", "There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """``handler500``: Django has logged the exception by the time it asks."""
    return response(
        request,
        Problem(
            "internal_error",
            "Something went wrong on the server. Report the request_id to whoever runs it.",
            status=500,
        ),
    )
