"""Signing in and out, and keeping signed in."""

from typing import Any

from django.contrib.auth import logout
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from accounts.authentication import session_of
from accounts.models import Session
from accounts.permissions import IsSignedIn
from accounts.serializers import (
    LoginSerializer,
    MeSerializer,
    RefreshSerializer,
    SignedInSerializer,
    TokensSerializer,
)
from accounts.services.sessions import EndReason, end_sessions, rotate
from accounts.services.signing_in import sign_in
from accounts.tokens import ACCESS_TOKEN_LIFETIME, TokenPair, token_pair
from nexus.api.renderers import to_json
from nexus.api.views import APIView
from nexus.ops.address import client_address

TAG = "Authentication"


class LoginView(APIView):
    """``/auth/login``."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="login",
        tags=[TAG],
        summary="Log in",
        description="Opens a session. A wrong password, an unknown address and an inactive user get the same "
        "401 `invalid_credentials`. Failing too often, from one address or for one account, is a 429.",
        request=LoginSerializer,
        responses=SignedInSerializer,
        auth=[],
    )
    def post(self, request: Request) -> HttpResponse:
        """Tokens for an e-mail address and a password."""
        serializer = LoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        session = sign_in(
            **serializer.validated_data,
            address=client_address(request._request),
            user_agent=request.headers.get("User-Agent", ""),
        )
        return _tokens(token_pair(session), user=MeSerializer(session.user).data)


class RefreshView(APIView):
    """``/auth/refresh``."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="refresh",
        tags=[TAG],
        summary="Get the next pair of tokens",
        description="The refresh token given does not work again: keep the new one. Requests with the same "
        "token within 10 s get the same pair (two tabs); later it ends the whole session, 401 `token_reused`.",
        request=RefreshSerializer,
        responses=TokensSerializer,
        auth=[],
    )
    def post(self, request: Request) -> HttpResponse:
        """Tokens for a refresh token."""
        serializer = RefreshSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return _tokens(rotate(serializer.validated_data["refresh_token"]))


class LogoutView(APIView):
    """``/auth/logout``."""

    permission_classes = [IsSignedIn]
    takes_body = False

    @extend_schema(
        operation_id="logout",
        tags=[TAG],
        summary="Log out",
        description="Ends the session: its access and refresh tokens stop working at once, everywhere.",
        request=None,
        responses={204: OpenApiResponse(description="Logged out.")},
    )
    def post(self, request: Request) -> HttpResponse:
        """End the session of the request."""
        session_id = session_of(request)
        if session_id is None:
            logout(request._request)
        else:
            end_sessions(Session.objects.filter(pk=session_id), reason=EndReason.LOGOUT)
        return HttpResponse(status=204)


def _tokens(pair: TokenPair, **more: Any) -> HttpResponse:
    body = {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        **more,
    }
    # RFC 6749, section 5.1: tokens are nothing for caches.
    return HttpResponse(to_json(body), content_type="application/json", headers={"Cache-Control": "no-store"})
