"""On whose behalf this thread works: the request, the user and the job that every log line names.

The request middleware opens it for requests; tasks and commands open their own with ``work_context``.
"""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_user_id: ContextVar[int | None] = ContextVar("user_id", default=None)
_job_id: ContextVar[str | None] = ContextVar("job_id", default=None)


def current_request_id() -> str | None:
    """The id of the request at work, or of the one that asked for the task at work."""
    return _request_id.get()


def current_user_id() -> int | None:
    """The primary key of the user at work, once they are known."""
    return _user_id.get()


def current_job_id() -> str | None:
    """The id of the job at work, as text."""
    return _job_id.get()


def new_request_id() -> str:
    """An id for work that came without one: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def bind(*, user: int | None = None, job: uuid.UUID | str | None = None) -> None:
    """Name the user or the job of the work that is already open, as authentication does."""
    if user is not None:
        _user_id.set(user)
    if job is not None:
        _job_id.set(str(job))


def open_request(request_id: str) -> None:
    """Begin a request on this thread."""
    close_request()
    _request_id.set(request_id)


def close_request(**_: object) -> None:
    """Receive Django's ``request_finished``, which comes when the last byte of a stream is out."""
    _request_id.set(None)
    _user_id.set(None)
    _job_id.set(None)


@contextmanager
def work_context(
    *, request_id: str | None = None, user: int | None = None, job: uuid.UUID | str | None = None
) -> Iterator[str]:
    """Work of a task or a command under `request_id`, else the one at work, else a new one; yields it.

    What was at work before is at work again afterwards.
    """
    request_id = request_id or _request_id.get() or new_request_id()
    before = (_request_id.set(request_id), _user_id.set(_user_id.get()), _job_id.set(_job_id.get()))
    bind(user=user, job=job)
    try:
        yield request_id
    finally:
        _request_id.reset(before[0])
        _user_id.reset(before[1])
        _job_id.reset(before[2])
