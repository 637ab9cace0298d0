"""Users and sessions for staff."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.forms import PasswordForm, UserCreationForm, UserForm
from accounts.models import Session, User, UserQuerySet
from accounts.roles import ROLES
from accounts.services.sessions import EndReason, end_sessions
from accounts.services.users import create_user, deactivate_user, update_user
from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each

# Who is in which group is edited as the roles of a user.
admin.site.unregister(Group)


class RoleFilter(admin.SimpleListFilter):
    """Who holds a role."""

    title = parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The roles."""
        return [(role, role) for role in ROLES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """The holders of the chosen role."""
        role = self.value()
        return queryset.holding(role) if role in ROLES and isinstance(queryset, UserQuerySet) else queryset


@admin.register(User)
class UserAdmin(LargeTableAdmin, DjangoUserAdmin):
    """Who may sign in, and their roles."""

    form = UserForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    list_display = ["email", "name", "role_names", "is_active", "is_staff", "last_login", "date_joined"]
    list_filter = ["is_active", "is_staff", RoleFilter]
    search_fields = ["email", "name"]
    ordering = ["-date_joined", "-id"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    actions = ["deactivate"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        ("What they may do", {"fields": ["is_active", "roles", "is_staff"]}),
        ("Times", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["email", "name", "usable_password", "password1", "password2"]}),
        ("What they may do", {"fields": ["roles", "is_staff"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users with their roles."""
        return super().get_queryset(request).prefetch_related("groups")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes users: what they did still names them."""
        return False

    @admin.display(description="roles")
    def role_names(self, user: User) -> str:
        """The roles of a user."""
        return ", ".join(user.roles)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Create or change through the service."""
        if change:
            update_user(User.objects.get(pk=obj.pk), **form.changes())
            return
        data = form.cleaned_data
        created = create_user(
            email=data["email"],
            name=data["name"],
            roles=data["roles"],
            is_staff=data["is_staff"],
            password=data["password1"] if data["set_usable_password"] else None,
        )
        obj.pk = created.pk

    @admin.action(description="Deactivate: log out, and let them log in no more", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Deactivate the chosen users."""
        do_with_each(self, request, queryset.filter(is_active=True), deactivate_user, "deactivated")


@admin.register(Session)
class SessionAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Who is signed in to the API, from where."""

    list_display = [
        "id",
        "user",
        "ip_address",
        "user_agent",
        "created_at",
        "last_seen_at",
        "expires_at",
        "ended_at",
        "end_reason",
    ]
    list_select_related = ["user"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter), "end_reason"]
    search_keys = ("id", "user__email__icontains")
    search_help_text = "The id of a session, or a part of a user's e-mail address."
    ordering = ["-created_at", "-id"]
    # The ids of refresh tokens are half of a token.
    exclude = ["refresh_id", "previous_refresh_id"]
    actions = ["end_chosen"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field that is shown."""
        return [name for name in super().get_readonly_fields(request, obj) if name not in self.exclude]

    @admin.action(description="End: log these devices out", permissions=["change"])
    def end_chosen(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """End the chosen sessions."""
        count = end_sessions(queryset, reason=EndReason.ENDED_BY_STAFF)
        self.message_user(request, f"{count} ended.")
