"""Sessions: opened by a sign-in, carried on by rotating tokens, ended at once everywhere."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.liveness import announce_end, announce_rights
from accounts.models import Session, User
from accounts.tokens import (
    REFRESH_TOKEN_LIFETIME,
    RefreshToken,
    TokenPair,
    invalid_credentials,
    read,
    token_pair,
    unauthorized,
)
from nexus.api.errors import Problem

# Two tabs that refresh at once both get the pair of the first, for this long.
GRACE = timedelta(seconds=10)
USER_AGENT_LENGTH = Session._meta.get_field("user_agent").max_length
# Who was signed in from where is kept this long after the session could be used last.
KEPT_FOR = timedelta(days=90)
EndReason = Session.EndReason


@transaction.atomic
def open_session(*, user: User, ip_address: str | None = None, user_agent: str = "") -> Session:
    """A session for a user who has proved who they are.

    Raises Problem (401 ``invalid_credentials``) when they have been deactivated or given another password since.
    """
    now = timezone.now()
    # Whoever changes the password ends all sessions: this one is either there by then, or never made.
    if not User.objects.filter(pk=user.pk, password=user.password, is_active=True).update(last_login=now):
        raise invalid_credentials()
    user.last_login = now
    announce_rights(user.pk)
    return Session.objects.create(
        user=user,
        ip_address=ip_address,
        user_agent=user_agent.replace("\x00", "")[:USER_AGENT_LENGTH],
        created_at=now,
        last_seen_at=now,
        rotated_at=now,
        expires_at=now + REFRESH_TOKEN_LIFETIME,
    )


def rotate(refresh_token: str) -> TokenPair:
    """The next pair of tokens of a session; the refresh token given does not work again.

    Of requests with the same token one rotates, and the others get the same pair within the grace. A token
    that comes back later was copied by somebody, so the session ends (RFC 9700, section 4.14.2).

    Raises Problem (401): ``token_invalid``, ``token_expired``, ``session_ended`` or ``token_reused``.
    """
    claims = read(RefreshToken, refresh_token)
    now = timezone.now()
    own = Session.objects.alive(now).filter(pk=claims.session_id, user_id=claims.user_id)
    own.filter(refresh_id=claims.token_id).update(
        previous_refresh_id=claims.token_id,
        refresh_id=uuid4(),
        rotated_at=now,
        last_seen_at=now,
        expires_at=now + REFRESH_TOKEN_LIFETIME,
    )
    session = own.first()
    if session is None:
        raise unauthorized("session_ended", "The session of this token has ended. Sign in again.")
    if session.previous_refresh_id == claims.token_id and timezone.now() - session.rotated_at <= GRACE:
        return token_pair(session)
    end_sessions(Session.objects.filter(pk=session.pk), reason=EndReason.TOKEN_REUSED)
    raise unauthorized(
        "token_reused", "This refresh token was used before, so its session has been ended. Sign in again."
    )


@transaction.atomic
def end_sessions(sessions: QuerySet[Session], *, reason: EndReason) -> int:
    """End those of some sessions that have not ended, and say how many: their tokens stop working at once."""
    ids: list[UUID] = list(
        sessions.filter(ended_at=None).order_by().select_for_update(of=("self",)).values_list("pk", flat=True)
    )
    Session.objects.filter(pk__in=ids).update(ended_at=timezone.now(), end_reason=reason)
    announce_end(ids)
    return len(ids)


def end_session(*, user: User, session_id: UUID, reason: EndReason) -> None:
    """End one session of a user. Raises Problem (404) when they have no such session alive."""
    if not end_sessions(Session.objects.alive().filter(user_id=user.pk, pk=session_id), reason=reason):
        raise Problem("not_found", "You have no such session.", status=404)


def delete_expired() -> int:
    """Forget the sessions that ran out more than 90 days ago, and say how many."""
    return Session.objects.filter(expires_at__lt=timezone.now() - KEPT_FOR).delete()[0]
