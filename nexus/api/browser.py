"""Django's middleware for people with a browser, kept away from programs with a token.

A request to the admin site, or one with the cookie of an admin session, takes the whole way; any other request to
the API is spared it.
"""

from typing import Any

from corsheaders.middleware import CorsMiddleware as OfOtherOrigins
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.cache import patch_vary_headers

from nexus.api.middleware import GetResponse


class BrowserMiddleware:
    """Django's sessions, protection of forms, sign-in and messages, for the admin site."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._forms = CsrfViewMiddleware(AuthenticationMiddleware(MessageMiddleware(get_response)))
        self._whole_way: Any = SessionMiddleware(self._forms)

    def __call__(self, request: HttpRequest) -> Any:
        if comes_from_a_browser_session(request):
            return self._whole_way(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        """Check forms of the admin site; the API checks a session's token itself, where it accepts one."""
        return self._forms.process_view(request, *args) if comes_from_a_browser_session(request) else None


def comes_from_a_browser_session(request: HttpRequest) -> bool:
    """Whether a request is for the admin site, or made by somebody signed in there."""
    return request.path_info.startswith("/admin") or settings.SESSION_COOKIE_NAME in request.COOKIES


class CorsMiddleware(OfOtherOrigins):
    """Tells browsers which pages of other origins may read answers; a program has no origin."""

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META:
            return super().__call__(request)
        response: Any = self.get_response(request)
        patch_vary_headers(response, ("origin",))
        return response
