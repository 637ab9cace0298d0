"""Users, sessions and tokens as the API shows and takes them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts.models import Session, User
from accounts.roles import ROLES
from accounts.services.users import create_user, update_user
from nexus.api.serializers import ModelSerializer, Serializer

# Longer ones would only cost the time to hash them.
MAX_PASSWORD_LENGTH = 256
MAX_TOKEN_LENGTH = 4096
ME = {
    "id": 1,
    "email": "editor@example.com",
    "name": "Edda Editor",
    "roles": ["editor"],
    "permissions": ["products.add_product", "products.change_product", "products.view_product"],
    "last_login": "2026-11-22T09:30:00Z",
    "date_joined": "2026-11-01T08:00:00Z",
}
TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiIs…",
    "refresh_token": "eyJhbGciOiJIUzI1NiIs…",
    "token_type": "Bearer",
    "expires_in": 900,
}


def password_field(help_text: str, **options: Any) -> serializers.CharField:
    """A password as it is typed, blanks included."""
    return serializers.CharField(
        write_only=True,
        max_length=MAX_PASSWORD_LENGTH,
        trim_whitespace=False,
        style={"input_type": "password"},
        help_text=help_text,
        **options,
    )


class RolesField(serializers.ListField):
    """The roles of a user, in the order of `ROLES`."""

    child = serializers.ChoiceField(choices=ROLES)


@extend_schema_serializer(
    examples=[OpenApiExample("Login", {"email": "editor@example.com", "password": "nexus-demo"})]
)
class LoginSerializer(Serializer):
    """What a sign-in needs."""

    email = serializers.EmailField(max_length=254, help_text="In any case.")
    password = password_field("The password.")


@extend_schema_serializer(examples=[OpenApiExample("Refresh", {"refresh_token": TOKENS["refresh_token"]})])
class RefreshSerializer(Serializer):
    """What a refresh needs."""

    refresh_token = serializers.CharField(
        max_length=MAX_TOKEN_LENGTH, help_text="The one of the last login or refresh; it works once."
    )


@extend_schema_serializer(examples=[OpenApiExample("Profile", ME)])
class MeSerializer(ModelSerializer):
    """The user who asks."""

    roles = RolesField(read_only=True, help_text="Empty for a user who may not do anything yet.")
    permissions = serializers.SerializerMethodField(help_text="All that the roles allow, sorted.")

    class Meta:
        model = User
        fields = ["id", "email", "name", "roles", "permissions", "last_login", "date_joined"]
        read_only_fields = ["email", "last_login"]

    def get_permissions(self, user: User) -> list[str]:
        """Names such as ``products.add_product``."""
        return sorted(user.get_all_permissions())


@extend_schema_serializer(examples=[OpenApiExample("Tokens", TOKENS)])
class TokensSerializer(serializers.Serializer[Any]):
    """A pair of tokens."""

    access_token = serializers.CharField(help_text="For the `Authorization` header: `Bearer <access_token>`.")
    refresh_token = serializers.CharField(help_text="For `POST /auth/refresh`.")
    token_type = serializers.CharField(help_text="Always `Bearer`.")
    expires_in = serializers.IntegerField(help_text="Seconds that the access token works.")


@extend_schema_serializer(examples=[OpenApiExample("Signed in", TOKENS | {"user": ME})])
class SignedInSerializer(TokensSerializer):
    """A pair of tokens and whose they are."""

    user = MeSerializer()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Another password", {"current_password": "nexus-demo", "new_password": "correct horse battery"}
        )
    ]
)
class PasswordSerializer(Serializer):
    """What a change of password needs."""

    current_password = password_field("The password so far.")
    new_password = password_field("10 characters or more, neither common nor like your name or address.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "This device",
            {
                "id": "0b9f6d2d-3b7a-4c9e-8c4f-1a6e8d5b4b0f",
                "created_at": "2026-11-22T09:30:00Z",
                "last_seen_at": "2026-11-22T10:15:00Z",
                "expires_at": "2026-12-06T10:05:00Z",
                "ip_address": "192.0.2.17",
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "current": True,
            },
        )
    ]
)
class SessionSerializer(ModelSerializer):
    """A sign-in on one device that is still alive."""

    current = serializers.BooleanField(read_only=True, help_text="Whether this request belongs to it.")

    class Meta:
        model = Session
        fields = ["id", "created_at", "last_seen_at", "expires_at", "ip_address", "user_agent", "current"]
        read_only_fields = fields
        extra_kwargs = {
            "last_seen_at": {"help_text": "To the minute."},
            "expires_at": {"help_text": "Moves on with every refresh."},
        }


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A user",
            {
                "id": 7,
                "email": "reviewer@example.com",
                "name": "Rita Reviewer",
                "roles": ["reviewer"],
                "is_active": True,
                "is_staff": True,
                "last_login": None,
                "date_joined": "2026-11-01T08:00:00Z",
            },
            response_only=True,
        ),
        OpenApiExample(
            "A new user",
            {
                "email": "reviewer@example.com",
                "name": "Rita Reviewer",
                "roles": ["reviewer"],
                "password": "correct horse battery",
            },
            request_only=True,
        ),
    ]
)
class UserSerializer(ModelSerializer):
    """A user as administrators see them."""

    email = serializers.EmailField(max_length=254, help_text="Unique whatever its case; kept in lower case.")
    roles = RolesField(required=False, help_text="What the user may do; none without a role.")
    password = password_field("Without one nobody can log in as this user.", required=False)

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "name",
            "roles",
            "is_active",
            "is_staff",
            "password",
            "last_login",
            "date_joined",
        ]
        read_only_fields = ["last_login"]
        extra_kwargs = {
            "is_active": {"help_text": "An inactive user cannot log in."},
            "is_staff": {"help_text": "Whether the user may use the admin site."},
        }

    def create(self, validated_data: Any) -> User:
        """A new user."""
        return create_user(**validated_data)

    def update(self, instance: User, validated_data: Any) -> User:
        """The user with the changes."""
        return update_user(instance, **validated_data)
