"""What every user may see and change about themselves, with or without a role."""

from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request

from accounts.authentication import session_of
from accounts.models import Session, User
from accounts.permissions import IsSignedIn
from accounts.serializers import MeSerializer, PasswordSerializer, SessionSerializer
from accounts.services.sessions import EndReason, end_session
from accounts.services.users import change_password, update_user
from accounts.tokens import unauthorized
from accounts.views.authentication import TAG
from nexus.api import conditional
from nexus.api.reading import shower
from nexus.api.views import APIView, GenericViewSet, ListMixin
from nexus.ops.address import client_address


class MeView(APIView):
    """``/auth/me``."""

    permission_classes = [IsSignedIn]

    @extend_schema(operation_id="me", tags=[TAG], summary="Show my profile", responses=MeSerializer)
    def get(self, request: Request) -> HttpResponse:
        """The user who asks, with their roles and all that these allow."""
        return conditional.answer(request, _profile(_user(request)))

    @extend_schema(
        operation_id="update_me",
        tags=[TAG],
        summary="Change my name",
        request=MeSerializer,
        responses=MeSerializer,
    )
    def patch(self, request: Request) -> HttpResponse:
        """The profile with the name given; the rest is for administrators to change."""
        with transaction.atomic():
            user = _whole_user(request, User.objects.select_for_update())
            conditional.check_precondition(request, _profile(user))
            serializer = MeSerializer(user, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            data = _profile(update_user(user, **serializer.validated_data))
        return conditional.answer(request, data)


class PasswordView(APIView):
    """``/auth/password``."""

    permission_classes = [IsSignedIn]

    @extend_schema(
        operation_id="change_password",
        tags=[TAG],
        summary="Change my password",
        description="All your other sessions end. A wrong current password is a 400 that points to it.",
        request=PasswordSerializer,
        responses={204: OpenApiResponse(description="Changed.")},
    )
    def post(self, request: Request) -> HttpResponse:
        """Set the password of the user who asks."""
        serializer = PasswordSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        change_password(
            user=_whole_user(request, User.objects.all()),
            **serializer.validated_data,
            address=client_address(request._request),
            session_id=session_of(request),
        )
        return HttpResponse(status=204)


@extend_schema_view(
    list=extend_schema(
        operation_id="list_my_sessions",
        tags=[TAG],
        summary="List my sessions",
        description="Those that are alive, newest first.",
    ),
    destroy=extend_schema(
        operation_id="end_my_session",
        tags=[TAG],
        summary="End one of my sessions",
        description="Its tokens stop working at once. The session of another user is a 404.",
        responses={204: OpenApiResponse(description="Ended.")},
    ),
)
class MySessionViewSet(ListMixin, GenericViewSet):
    """``/auth/sessions``."""

    permission_classes = [IsSignedIn]
    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    ordering_fields = ("created_at", "last_seen_at")
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Session]:
        """The user's sessions that are alive."""
        session_id = session_of(self.request)
        current = Q(pk=session_id) if session_id else Value(value=False)
        return (
            Session.objects.alive()
            .filter(user=_user(self.request))
            .annotate(current=ExpressionWrapper(current, output_field=BooleanField()))
        )

    def destroy(self, request: Request, pk: UUID) -> HttpResponse:
        """End a session of the user."""
        end_session(user=_user(request), session_id=pk, reason=EndReason.REVOKED)
        return HttpResponse(status=204)


def _profile(user: User) -> Any:
    return shower(MeSerializer)(user)


def _user(request: Request) -> User:
    """The user who asks, of whom a token tells no more than their rights and their profile."""
    return cast(User, request.user)


def _whole_user(request: Request, queryset: QuerySet[User]) -> User:
    """The row of the user who asks. Raises Problem (401) when it has been deleted in the meantime."""
    user = queryset.filter(pk=_user(request).pk).first()
    if user is None:
        raise unauthorized("session_ended", "The user of this token is gone.")
    # Known from the token's session already.
    user.roles = _user(request).roles
    return user
