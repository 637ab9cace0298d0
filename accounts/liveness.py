"""Which sessions are alive and what their users may do: Redis in front of PostgreSQL, asked by every request.

``session:<id>`` holds the id of the user and a time, or `ENDED`; ``user:<id>`` holds the user's rights and profile
and a time, or `INACTIVE`. Both are filled from PostgreSQL with SET NX and kept a minute. What changes is written over
them after the commit and never deleted: a fill that read the old state and comes late finds a value there, and cannot
bring it back. While Redis is away, nothing can be written over. So a process that has found it silent believes no
value from before that; and whoever has changes to tell keeps trying (`accounts.telling`).
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import orjson
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Q, Value
from django.utils import timezone
from redis import Redis

from accounts.models import Session, User
from accounts.roles import ADMINISTRATOR, ROLES
from accounts.telling import tell
from accounts.tokens import ACCESS_TOKEN_LIFETIME, Claims
from nexus.api.throttling import WINDOW_S, window
from nexus.ops import redis

KEPT_FOR_S = 60
SEEN_EVERY = timedelta(seconds=60)
# An ended session is remembered until the last of its access tokens has run out.
ENDED_KEPT_FOR_S = int(ACCESS_TOKEN_LIFETIME.total_seconds()) + KEPT_FOR_S
ENDED, INACTIVE = b"ended", b"inactive"
# The fields of a user that `Rights` carries besides, in their order there.
PROFILE = ("email", "name", "last_login", "date_joined")

# When this process last found Redis silent, in seconds since 1970.
_silent_at = 0.0


@dataclass(frozen=True, slots=True)
class Rights:
    """Who makes a request, as far as most requests need to know: what they may do, and their profile."""

    user_id: int
    roles: tuple[str, ...]
    is_superuser: bool
    email: str
    name: str
    last_login: datetime | None
    date_joined: datetime


def rights_of(claims: Claims) -> tuple[Rights | None, int]:
    """The rights of a token's user, None when the session is not alive; and the user's requests this minute.

    One trip to Redis. PostgreSQL is asked where Redis does not know; where Redis does not answer, the requests
    are 0.
    """
    global _silent_at
    answer = redis.guarded(partial(_ask, claims=claims), default=None)
    if answer is None:
        _silent_at = time.time()
        return _load(claims, keep=False), 0
    session, user, requests = answer
    if session == ENDED or user == INACTIVE:
        return None, requests
    if session is None or user is None:
        return _load(claims, keep=True), requests
    user_id, alive_at = session.split()
    rights, valid_at = _decode(user)
    if min(float(alive_at), valid_at) <= _silent_at:
        return _load(claims, keep=False), requests
    return (rights if int(user_id) == claims.user_id else None), requests


def announce_end(session_ids: Iterable[UUID]) -> None:
    """Let every process know, once this transaction is committed, that sessions have ended."""
    values = {_session_key(session_id): ENDED for session_id in session_ids}
    if values:
        transaction.on_commit(lambda: tell(partial(_write, values=values, seconds=ENDED_KEPT_FOR_S)))


def announce_rights(user_id: int) -> None:
    """Let every process know, once this transaction is committed, what a user may do and who they are."""
    transaction.on_commit(lambda: _announce_rights(user_id))


def announce_sign_in(user: User, **kwargs: Any) -> None:
    """Receive ``user_logged_in`` of the admin site: the profile tells of the last login."""
    announce_rights(user.pk)


def forget_deleted_user(instance: User, **kwargs: Any) -> None:
    """Receive ``post_delete``: whoever deletes a user, their tokens stop working at once."""
    announce_rights(instance.pk)


def _announce_rights(user_id: int) -> None:
    # The lock puts announcements about one user in order: the last one reads the last state.
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None or not user.is_active:
            value = INACTIVE
        else:
            profile = {name: getattr(user, name) for name in PROFILE}
            value = _encode(Rights(user_id, tuple(user.roles), user.is_superuser, **profile))
        tell(partial(_write, values={_user_key(user_id): value}, seconds=KEPT_FOR_S))


# A script is one command, which the client sends and reads in a third of the time that a pipeline of three takes.
_ASK = """
local requests = redis.call("INCR", KEYS[3])
if requests == 1 then redis.call("EXPIRE", KEYS[3], ARGV[1]) end
return {redis.call("GET", KEYS[1]), redis.call("GET", KEYS[2]), requests}
"""


def _ask(client: Redis, claims: Claims) -> tuple[bytes | None, bytes | None, int]:
    counter = f"requests:{claims.user_id}:{window()}"
    keys = [_session_key(claims.session_id), _user_key(claims.user_id), counter]
    session, user, requests = client.eval(_ASK, len(keys), *keys, WINDOW_S)
    return session, user, requests


def _load(claims: Claims, *, keep: bool) -> Rights | None:
    """The rights by PostgreSQL's word, kept in Redis when it answers."""
    now = timezone.now()
    row = (
        Session.objects.alive(now)
        .filter(pk=claims.session_id, user_id=claims.user_id)
        .annotate(groups=_NAMES_OF_GROUPS)
        .values_list("last_seen_at", "user__is_superuser", "groups", *(f"user__{name}" for name in PROFILE))
        .first()
    )
    if row is None:
        return None
    seen_at, is_superuser, groups, *profile = row
    if seen_at <= now - SEEN_EVERY:
        Session.objects.filter(pk=claims.session_id, last_seen_at=seen_at).update(last_seen_at=now)
    held = {*groups, ADMINISTRATOR} if is_superuser else set(groups)
    rights = Rights(claims.user_id, tuple(role for role in ROLES if role in held), is_superuser, *profile)
    if keep:
        redis.guarded(partial(_keep, session_id=claims.session_id, rights=rights), default=None)
    return rights


_NAMES_OF_GROUPS = ArrayAgg("user__groups__name", filter=Q(user__groups__isnull=False), default=Value([]))


def _keep(client: Redis, session_id: UUID, rights: Rights) -> None:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.set(_session_key(session_id), f"{rights.user_id} {time.time()}", nx=True, ex=KEPT_FOR_S)
        pipeline.set(_user_key(rights.user_id), _encode(rights), nx=True, ex=KEPT_FOR_S)
        pipeline.execute()


def _write(client: Redis, values: dict[str, bytes], seconds: int) -> None:
    with client.pipeline(transaction=False) as pipeline:
        for key, value in values.items():
            pipeline.set(key, value, ex=seconds)
        pipeline.execute()


def _session_key(session_id: UUID) -> str:
    return f"session:{session_id}"


def _user_key(user_id: int) -> str:
    return f"user:{user_id}"


def _encode(rights: Rights) -> bytes:
    return orjson.dumps({"rights": rights, "valid_at": time.time()})


@lru_cache(maxsize=1024)
def _decode(value: bytes) -> tuple[Rights, float]:
    document: dict[str, Any] = orjson.loads(value)
    known = document["rights"]
    known["roles"] = tuple(known["roles"])
    known["last_login"] = known["last_login"] and datetime.fromisoformat(known["last_login"])
    known["date_joined"] = datetime.fromisoformat(known["date_joined"])
    return Rights(**known), document["valid_at"]
