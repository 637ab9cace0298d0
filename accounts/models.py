"""Who uses Nexus: users by e-mail address, and the sessions they have open."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower, Upper
from django.utils import timezone

from accounts.roles import ADMINISTRATOR, ROLES, permissions_of


class UserQuerySet(models.QuerySet["User"]):
    """Reads of users."""

    def with_roles(self) -> "UserQuerySet":
        """Load the roles of all users with one query more, however many users there are."""
        return self.prefetch_related("groups")

    def holding(self, role: str) -> "UserQuerySet":
        """Those who hold a role."""
        membership = User.groups.through.objects.filter(user_id=OuterRef("pk"), group__name=role)
        condition = Q(Exists(membership))
        return self.filter(condition | Q(is_superuser=True) if role == ADMINISTRATOR else condition)

    def search(self, text: str) -> "UserQuerySet":
        """Those in whose address or name a text occurs."""
        return self.filter(Q(email__icontains=text) | Q(name__icontains=text))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes users; addresses are kept in lower case, so that they are unique whatever their case."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """The whole address in lower case: no provider in use tells mailboxes apart by case."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of an e-mail address, whatever its case. Raises User.DoesNotExist."""
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a user; without a password nobody can log in as them."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a user who may do everything, the admin site included."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a program that signs in with an e-mail address and a password.

    What they may do follows from their roles: the names of their groups (`accounts.roles`).
    """

    email = models.EmailField("e-mail address", max_length=254)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True, help_text="Untick to deactivate; users are never deleted.")
    is_staff = models.BooleanField("may use the admin site", default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="accounts_user_email_unique",
                violation_error_message="Another user has this e-mail address.",
                violation_error_code="email_taken",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="accounts_user_email_lower_case"),
        ]
        indexes = [
            models.Index(F("date_joined").desc(), F("id").desc(), name="accounts_user_joined"),
            models.Index(fields=["name", "id"], name="accounts_user_by_name"),
            GinIndex(
                OpClass(Upper("email"), name="gin_trgm_ops"),
                OpClass(Upper("name"), name="gin_trgm_ops"),
                name="accounts_user_search",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def signed_in(cls, pk: int, roles: Iterable[str], **known: Any) -> "User":
        """An active user of whom these fields are known, without asking the database; others load when needed."""
        known |= {"id": pk, "is_active": True}
        columns = [field.attname for field in cls._meta.concrete_fields if field.attname in known]
        # `from_db` takes the values in the order of the model's columns.
        user = cls.from_db("default", columns, [known[column] for column in columns])
        user.roles = list(roles)
        return user

    @cached_property
    def roles(self) -> list[str]:
        """The roles held, in the order of `ROLES`. A superuser is an administrator whatever their groups."""
        names = {group.name for group in self.groups.all()}
        if self.is_superuser:
            names.add(ADMINISTRATOR)
        return [role for role in ROLES if role in names]

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether this active user's roles hold a permission; a superuser holds all. `RoleBackend` says no other."""
        return self.is_active and (self.is_superuser or (obj is None and perm in permissions_of(self.roles)))

    def clean(self) -> None:
        """Normalize the address before the database compares it."""
        super().clean()
        self.email = type(self).objects.normalize_email(self.email)

    def get_full_name(self) -> str:
        """The name, or the address of a user without one."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """The same as the full name: Nexus does not split names."""
        return self.get_full_name()


class SessionQuerySet(models.QuerySet["Session"]):
    """Reads of sessions."""

    def alive(self, at: datetime | None = None) -> "SessionQuerySet":
        """Those that have neither been ended nor run out, of users who are active."""
        # EXISTS keeps the whole condition on the session's own row. With a join, Django updates the rows of a
        # subquery, which PostgreSQL does not evaluate again after waiting for a lock: two refreshes would win.
        active = User.objects.filter(pk=OuterRef("user_id"), is_active=True)
        return self.filter(Exists(active), ended_at=None, expires_at__gt=at or timezone.now())


class Session(models.Model):
    """One sign-in on one device. Its tokens work while it is alive.

    Only the newest refresh token may rotate. The one before it is kept to tell two tabs that refresh at once
    (within the grace) from a stolen token (after it).
    """

    class EndReason(models.TextChoices):
        LOGOUT = "logout", "logged out"
        REVOKED = "revoked", "ended by the user from another session"
        PASSWORD_CHANGED = "password_changed", "password changed"
        ENDED_BY_STAFF = "ended_by_staff", "ended by a member of staff"
        DEACTIVATED = "deactivated", "user deactivated"
        TOKEN_REUSED = "token_reused", "a rotated refresh token came back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    # Refresh tokens
    refresh_id = models.UUIDField(default=uuid.uuid4, editable=False)
    previous_refresh_id = models.UUIDField(null=True, editable=False)
    rotated_at = models.DateTimeField(default=timezone.now)
    # Where from
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    # Times
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, choices=EndReason.choices, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="accounts_session_end_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                "user",
                F("created_at").desc(),
                F("id").desc(),
                condition=Q(ended_at=None),
                name="accounts_session_not_ended",
            ),
            models.Index(F("created_at").desc(), F("id").desc(), name="accounts_session_newest"),
            models.Index(fields=["expires_at"], name="accounts_session_expires"),
        ]

    def __str__(self) -> str:
        return f"Session {self.id}"
