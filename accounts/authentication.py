"""How a request says whose it is: an access token, or the cookie of an admin session."""

from dataclasses import dataclass
from uuid import UUID

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.liveness import rights_of
from accounts.models import User
from accounts.tokens import AccessToken, read, unauthorized
from nexus.api.errors import Problem


@dataclass(frozen=True, slots=True)
class Authorization:
    """What `request.auth` says of a request with an access token."""

    session_id: UUID
    requests_this_minute: int


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access token>``; the token's session must be alive."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, Authorization] | None:
        """The user and what is known of their session. Raises Problem (401) for a token that is not good."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = read(AccessToken, token.strip())
        rights, requests = rights_of(claims)
        if rights is None:
            raise unauthorized("session_ended", "The session of this token has ended. Sign in again.")
        user = User.signed_in(
            rights.user_id,
            rights.roles,
            is_superuser=rights.is_superuser,
            email=rights.email,
            name=rights.name,
            last_login=rights.last_login,
            date_joined=rights.date_joined,
        )
        return user, Authorization(claims.session_id, requests)

    def authenticate_header(self, request: Request) -> str:
        """The challenge of every 401."""
        return self.keyword


def session_of(request: Request) -> UUID | None:
    """The session of the access token; None for somebody signed in at the admin site."""
    return request.auth.session_id if isinstance(request.auth, Authorization) else None


class BrowserSessionAuthentication(SessionAuthentication):
    """The cookie of somebody signed in at the admin site, with Django's CSRF token on every change."""

    def enforce_csrf(self, request: Request) -> None:
        """Raise Problem (403 ``csrf_failed``) unless a changing request carries the CSRF token."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise Problem("csrf_failed", str(error.detail), status=403) from None
