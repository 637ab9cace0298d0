"""Users: made, changed, deactivated; their roles and their passwords."""

from collections.abc import Iterable
from typing import TypedDict, Unpack
from uuid import UUID

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.failures import count_failure, refuse_after_too_many
from accounts.liveness import announce_rights
from accounts.models import Session, User
from accounts.roles import ADMINISTRATOR
from accounts.services.sessions import EndReason, end_sessions
from nexus.api.database import refusal
from nexus.api.errors import Conflict, invalid


class UserChanges(TypedDict, total=False):
    """What can be changed about a user."""

    email: str
    name: str
    roles: Iterable[str]
    is_active: bool
    is_staff: bool
    password: str


@transaction.atomic
def create_user(
    *,
    email: str,
    password: str | None = None,
    name: str = "",
    roles: Iterable[str] = (),
    is_active: bool = True,
    is_staff: bool = False,
) -> User:
    """A new user; without a password nobody can log in as them.

    Raises Conflict ``email_taken``, and ValidationError for a password that is too easy to guess.
    """
    user = User(email=User.objects.normalize_email(email), name=name, is_active=is_active, is_staff=is_staff)
    if password is not None:
        check_password_rules(password, user, field="password")
    user.set_password(password)
    _save(user)
    _set_roles(user, roles)
    return user


@transaction.atomic
def update_user(user: User, **changes: Unpack[UserChanges]) -> User:
    """Change a user; what they may do changes at once, and a user who is deactivated is logged out.

    Raises Conflict ``email_taken`` and ``last_administrator``, and ValidationError for a password that is too
    easy to guess.
    """
    if not stays_administrator(user, changes):
        keep_an_administrator(user)
    roles, password = changes.pop("roles", None), changes.pop("password", None)
    for field, value in changes.items():
        setattr(user, field, value)
    user.email = User.objects.normalize_email(user.email)
    if roles is not None:
        roles = set(roles)
        user.is_superuser = user.is_superuser and ADMINISTRATOR in roles
    _save(user, update_fields=[*changes, "is_superuser"])
    if roles is not None:
        _set_roles(user, roles)
    if password is not None:
        check_password_rules(password, user, field="password")
        set_password(user=user, password=password)
    if not user.is_active:
        end_sessions(Session.objects.filter(user=user), reason=EndReason.DEACTIVATED)
    announce_rights(user.pk)
    return user


def deactivate_user(user: User) -> User:
    """End a user's sessions and let them sign in no more. Raises Conflict ``last_administrator``."""
    return update_user(user, is_active=False)


def change_password(
    *, user: User, current_password: str, new_password: str, address: str | None, session_id: UUID | None
) -> None:
    """Set a password for a user who knows the one they have; their sessions but the given one end.

    Raises Problem (400) for a wrong password, (429) after too many; ValidationError for one easy to guess.
    """
    refuse_after_too_many(user.email, address)
    if not user.check_password(current_password):
        count_failure(user.email, address)
        raise invalid("/current_password", "wrong_password", "This is not your password.")
    check_password_rules(new_password, user, field="new_password")
    set_password(user=user, password=new_password, keep_session=session_id)


@transaction.atomic
def set_password(*, user: User, password: str | None, keep_session: UUID | None = None) -> None:
    """Set a user's password (with None nobody can log in as them), and end their sessions but the given one."""
    user.set_password(password)
    user.save(update_fields=["password"])
    sessions = Session.objects.filter(user=user)
    others = sessions.exclude(pk=keep_session) if keep_session else sessions
    end_sessions(others, reason=EndReason.PASSWORD_CHANGED)


def check_password_rules(password: str, user: User, *, field: str) -> None:
    """Raise ValidationError about `field` for a password that is too easy to guess."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.error_list}) from None


def stays_administrator(user: User, changes: UserChanges) -> bool:
    """Whether some changes leave an active administrator as such; True for users who are none."""
    if not user.is_active or ADMINISTRATOR not in user.roles:
        return True
    return changes.get("is_active", True) and ADMINISTRATOR in changes.get("roles", user.roles)


def keep_an_administrator(user: User) -> None:
    """Raise Conflict ``last_administrator`` when nobody but this user is one. Call it in a transaction."""
    # Two administrators who demote each other at once: the second waits here, and finds the first one gone.
    Group.objects.select_for_update().filter(name=ADMINISTRATOR).first()
    if not User.objects.holding(ADMINISTRATOR).filter(is_active=True).exclude(pk=user.pk).exists():
        raise Conflict(
            "last_administrator", "This is the last active administrator. Make another user one first."
        )


def _set_roles(user: User, roles: Iterable[str]) -> None:
    user.groups.set(Group.objects.filter(name__in=set(roles)))
    user.__dict__.pop("roles", None)


def _save(user: User, update_fields: Iterable[str] | None = None) -> None:
    taken = Conflict("email_taken", "Another user has this e-mail address.")
    with refusal("accounts_user_email_unique", taken):
        user.save(update_fields=update_fields)
