"""Who uses Nexus: users by e-mail address, and the sessions they have open."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
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

    email = models.EmailField(unique=True, max_length=254)
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
            models.CheckConstraint(condition=Q(email=Lower("email")), name="accounts_user_email_lower_case"),
        ]
        indexes = [
            models.Index(F("date_joined").desc(), F("id").desc(), name="accounts_user_joined"),
        ]

    def __str__(self) -> str:
        return self.email

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
        return self.filter(ended_at=None, expires_at__gt=at or timezone.now(), user__is_active=True)


class Session(models.Model):
    """One sign-in on one device. Its tokens work while it is alive.

    Only the newest refresh token may rotate. The one before it is kept to tell two tabs that refresh at once
    (within the grace) from a stolen token (after it).
    """

    class EndReason(models.TextChoices):
        LOGOUT = "logout", "logged out"
        REVOKED = "revoked", "ended by the user from another session"
        PASSWORD_CHANGED = "password_changed", "password changed"
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
            models.Index("user", F("created_at").desc(), F("id").desc(), name="accounts_session_by_user"),
            models.Index(F("created_at").desc(), F("id").desc(), name="accounts_session_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d %H:%M}"
