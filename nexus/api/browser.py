"""Django's middleware for people with a browser, kept away from programs with a token.

A request to the admin site, or one with the cookie of an admin session, takes the whole way; any other request to
the API is spared it.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.middleware import csrf


def comes_from_a_browser_session(request: HttpRequest) -> bool:
    """Whether a request is for the admin site, or made by somebody signed in there."""
    return request.path.startswith("/admin") or settings.SESSION_COOKIE_NAME in request.COOKIES


class BrowserOnlyMixin:
    """Makes a middleware step aside for requests that do not come from a browser session."""

    def __call__(self, request: HttpRequest) -> Any:
        if comes_from_a_browser_session(request):
            return super().__call__(request)  # type: ignore[misc]
        return self.get_response(request)  # type: ignore[attr-defined]


class SessionMiddleware(BrowserOnlyMixin, sessions.SessionMiddleware):
    """Django's sessions, for the admin site."""


class CsrfViewMiddleware(BrowserOnlyMixin, csrf.CsrfViewMiddleware):
    """Django's protection of forms, for the admin site."""

    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        """Check forms of the admin site; the API checks a session's token itself, where it accepts one."""
        return super().process_view(request, *args) if comes_from_a_browser_session(request) else None


class AuthenticationMiddleware(BrowserOnlyMixin, auth.AuthenticationMiddleware):
    """Django's sign-in, for the admin site."""


class MessageMiddleware(BrowserOnlyMixin, messages.MessageMiddleware):
    """Django's messages, for the admin site."""
