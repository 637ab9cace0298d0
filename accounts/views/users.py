"""Users, for administrators."""

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view

from accounts.filters import UserFilterSet
from accounts.models import User
from accounts.serializers import UserSerializer
from accounts.services.users import deactivate_user
from nexus.api.views import ModelViewSet

TAG = "Users"


@extend_schema_view(
    list=extend_schema(operation_id="list_users", tags=[TAG], summary="List users"),
    retrieve=extend_schema(operation_id="get_user", tags=[TAG], summary="Show a user"),
    create=extend_schema(
        operation_id="create_user",
        tags=[TAG],
        summary="Create a user",
        description="An e-mail address that another user has is a 409 `email_taken`.",
    ),
    update=extend_schema(
        operation_id="replace_user",
        tags=[TAG],
        summary="Replace a user",
        description="As `PATCH`, but the e-mail address must be given. What is left out stays as it is.",
    ),
    partial_update=extend_schema(
        operation_id="update_user",
        tags=[TAG],
        summary="Change a user",
        description="Roles hold at once. A deactivated user and one with another password are logged out at "
        "once. The last active administrator cannot be deactivated or demoted: 409 `last_administrator`.",
    ),
    destroy=extend_schema(
        operation_id="deactivate_user",
        tags=[TAG],
        summary="Deactivate a user",
        description="The user stays, with their history, but is logged out at once and cannot log in. "
        "`PATCH` with `is_active: true` brings them back.",
        responses={204: OpenApiResponse(description="Deactivated.")},
    ),
)
class UserViewSet(ModelViewSet):
    """``/api/v1/users``."""

    queryset = User.objects.with_roles()
    serializer_class = UserSerializer
    filterset_class = UserFilterSet
    ordering_fields = ("id", "email", "name", "date_joined")
    permissions = {
        "list": "accounts.view_user",
        "retrieve": "accounts.view_user",
        "create": "accounts.add_user",
        "update": "accounts.change_user",
        "partial_update": "accounts.change_user",
        "destroy": "accounts.delete_user",
    }

    def perform_create(self, serializer: UserSerializer) -> User:
        """Create through the service."""
        return serializer.save()

    def perform_update(self, serializer: UserSerializer) -> User:
        """Change through the service."""
        return serializer.save()

    def perform_destroy(self, instance: User) -> None:
        """Deactivate: users are never deleted, as what they did still names them."""
        deactivate_user(instance)
