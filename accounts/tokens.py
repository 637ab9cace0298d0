"""The two tokens of a session, signed by SimpleJWT (RFC 7519).

Claims: ``sub`` (user), ``sid`` (session), ``jti``, ``typ``, ``iat``, ``exp``, ``iss``. Tokens are stored nowhere:
a pair follows from its session's row, so the same row gives the same pair again, byte for byte.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID, uuid5

from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings

from accounts.models import Session
from nexus.api.errors import Problem

ACCESS_TOKEN_LIFETIME: timedelta = api_settings.ACCESS_TOKEN_LIFETIME
REFRESH_TOKEN_LIFETIME: timedelta = api_settings.REFRESH_TOKEN_LIFETIME
LEEWAY_S: float = api_settings.LEEWAY


class AccessToken(tokens.AccessToken):
    """Authorizes requests for 15 minutes, as long as its session is alive."""


class RefreshToken(tokens.RefreshToken):
    """Gets the next pair of tokens, once."""


Token = TypeVar("Token", AccessToken, RefreshToken)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client keeps of its session."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    user_id: int
    session_id: UUID
    token_id: UUID
    expires_at: float


def unauthorized(code: str, detail: str) -> Problem:
    """A 401 with the challenge that HTTP asks for (RFC 9110, section 11.6.1)."""
    return Problem(code, detail, status=401, headers={"WWW-Authenticate": "Bearer"})


def invalid_credentials() -> Problem:
    """The 401 of every sign-in that fails, whatever is wrong."""
    return unauthorized(
        "invalid_credentials", "There is no active user with this e-mail address and password."
    )


def token_pair(session: Session) -> TokenPair:
    """The pair of tokens that a session's last rotation gave."""
    access = _signed(
        AccessToken, session, uuid5(session.refresh_id, "access"), session.rotated_at + ACCESS_TOKEN_LIFETIME
    )
    return TokenPair(access, _signed(RefreshToken, session, session.refresh_id, session.expires_at))


def _signed(kind: type[Token], session: Session, token_id: UUID, expires_at: datetime) -> str:
    token = kind()
    token["sub"], token["sid"], token["jti"] = str(session.user_id), str(session.pk), token_id.hex
    token.set_iat(at_time=session.rotated_at)
    token["exp"] = int(expires_at.timestamp())
    return str(token)


def read(kind: type[Token], text: str) -> Claims:
    """The claims of a token of a kind. Raises Problem (401): ``token_expired`` or ``token_invalid``."""
    try:
        claims = _verified(cast(Any, kind), text)
    except ExpiredTokenError:
        raise _expired() from None
    # A token may be signed and still hold claims of any type, such as a time beyond the calendar.
    except (TokenError, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
        raise unauthorized("token_invalid", f"This is not a valid {kind.token_type} token.") from None
    if time.time() >= claims.expires_at + LEEWAY_S:
        raise _expired()
    return claims


@lru_cache(maxsize=4096)
def _verified(kind: type[Token], text: str) -> Claims:
    """The claims of a token with a good signature. What does not change is worked out once: all but its expiry."""
    token: Any = kind(text)  # type: ignore[arg-type]
    return Claims(int(token["sub"]), UUID(token["sid"]), UUID(token["jti"]), float(token["exp"]))


def _expired() -> Problem:
    return unauthorized("token_expired", "The token has run out.")
