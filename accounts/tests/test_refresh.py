"""``POST /auth/refresh``."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services.sessions import GRACE, open_session
from accounts.services.users import deactivate_user
from accounts.tests.conftest import Commits
from accounts.tests.races import at_once
from accounts.tokens import TokenPair, token_pair
from conftest import MakeUser

pytestmark = pytest.mark.django_db


def refresh(token: object) -> Any:
    return APIClient().post("/auth/refresh", {"refresh_token": token})


def works(access_token: str) -> bool:
    headers = {"Authorization": f"Bearer {access_token}"}
    return APIClient().get("/auth/me", headers=headers).status_code == 200


def signed(**claims: object) -> str:
    return jwt.encode({"iss": "nexus", **claims}, settings.SECRET_KEY, algorithm="HS256")


@pytest.fixture
def session(viewer: User) -> Session:
    return open_session(user=viewer)


@pytest.fixture
def pair(session: Session) -> TokenPair:
    return token_pair(session)


def pass_grace(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(rotated_at=timezone.now() - GRACE - timedelta(seconds=1))


def test_the_next_pair_works_and_carries_on(pair: TokenPair) -> None:
    response = refresh(pair.refresh)

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert body["refresh_token"] != pair.refresh
    assert works(body["access_token"])
    assert refresh(body["refresh_token"]).status_code == 200


def test_a_refresh_prolongs_the_session(session: Session, pair: TokenPair) -> None:
    Session.objects.update(expires_at=timezone.now() + timedelta(days=1))
    refresh(pair.refresh)

    session.refresh_from_db()
    assert session.expires_at - timezone.now() > timedelta(days=13)


def test_two_tabs_get_the_same_pair_within_the_grace(pair: TokenPair) -> None:
    assert refresh(pair.refresh).json() == refresh(pair.refresh).json()


def test_a_rotated_token_after_the_grace_ends_the_session(
    session: Session, pair: TokenPair, commits: Commits
) -> None:
    latest = refresh(pair.refresh).json()
    assert works(latest["access_token"])
    pass_grace(session)
    with commits():
        response = refresh(pair.refresh)

    assert response.status_code == 401
    assert response.json()["code"] == "token_reused"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    session.refresh_from_db()
    assert session.end_reason == "token_reused"
    assert not works(latest["access_token"])
    assert refresh(latest["refresh_token"]).json()["code"] == "session_ended"


def test_a_token_from_before_the_last_rotation_ends_the_session_at_once(
    session: Session, pair: TokenPair
) -> None:
    refresh(refresh(pair.refresh).json()["refresh_token"])

    assert refresh(pair.refresh).json()["code"] == "token_reused"


@pytest.mark.parametrize(
    "change",
    [
        {"ended_at": timezone.now(), "end_reason": "logout"},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_a_session_that_is_over_cannot_be_refreshed(pair: TokenPair, change: dict[str, object]) -> None:
    Session.objects.update(**change)
    response = refresh(pair.refresh)

    assert response.status_code == 401
    assert response.json()["code"] == "session_ended"


def test_a_deactivated_user_cannot_refresh(viewer: User, pair: TokenPair) -> None:
    deactivate_user(viewer)

    assert refresh(pair.refresh).json()["code"] == "session_ended"


def test_a_deleted_user_cannot_refresh(viewer: User, pair: TokenPair) -> None:
    viewer.delete()

    assert refresh(pair.refresh).json()["code"] == "session_ended"


def test_an_expired_token_says_so(session: Session) -> None:
    token = signed(
        sub=str(session.user_id), sid=str(session.pk), jti=session.refresh_id.hex, typ="refresh", exp=1, iat=0
    )

    assert refresh(token).json()["code"] == "token_expired"


def test_an_access_token_is_no_refresh_token(pair: TokenPair) -> None:
    response = refresh(pair.access)

    assert response.status_code == 401
    assert response.json()["code"] == "token_invalid"


def test_forged_tokens_are_refused(session: Session, pair: TokenPair) -> None:
    claims = jwt.decode(pair.refresh, options={"verify_signature": False})
    header, payload, signature = pair.refresh.split(".")
    unsigned = jwt.encode(claims, "", algorithm="none")
    wrong_key = jwt.encode(claims, "another key of a sufficient length", algorithm="HS256")

    for forged in (unsigned, wrong_key, f"{header}.{payload}.", f"{header}.{payload}x.{signature}"):
        assert refresh(forged).json()["code"] == "token_invalid"
    session.refresh_from_db()
    assert session.ended_at is None


@pytest.mark.parametrize(
    "change",
    [
        {"sid": "no uuid"},
        {"sid": 7},
        {"sid": None},
        {"sub": "nobody"},
        {"sub": {}},
        {"jti": 1},
        {"jti": None},
        {"exp": 10**20},
        {"exp": "soon"},
        {"iss": "somebody else"},
        {"typ": 5},
    ],
)
def test_signed_tokens_with_odd_claims_are_refused(pair: TokenPair, change: dict[str, object]) -> None:
    claims = jwt.decode(pair.refresh, options={"verify_signature": False})
    response = refresh(jwt.encode(claims | change, settings.SECRET_KEY, algorithm="HS256"))

    assert response.status_code == 401
    assert response.json()["code"] == "token_invalid"


def test_the_token_of_another_user_for_this_session_is_refused(pair: TokenPair, editor: User) -> None:
    claims = jwt.decode(pair.refresh, options={"verify_signature": False})
    swapped = jwt.encode(claims | {"sub": str(editor.pk)}, settings.SECRET_KEY, algorithm="HS256")

    assert refresh(swapped).json()["code"] == "session_ended"


@pytest.mark.parametrize("token", ["", None, 5, [], {}, "x\x00", "x" * 5000])
def test_wrong_types_are_a_400(token: object) -> None:
    response = refresh(token)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/refresh_token"


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "ä.ö.ü", "...", "e30.e30.e30"])
def test_garbage_is_a_401(token: str) -> None:
    assert refresh(token).json()["code"] == "token_invalid"


@pytest.mark.django_db(transaction=True)
def test_of_many_refreshes_at_once_one_rotates_and_all_get_its_pair(make_user: MakeUser) -> None:
    session = open_session(user=make_user("viewer"))
    token = token_pair(session).refresh
    answers = at_once(Session.objects.all(), [lambda: refresh(token)] * 6)

    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    session.refresh_from_db()
    assert token_pair(session).refresh == answers[0].json()["refresh_token"]


@pytest.mark.django_db(transaction=True)
def test_a_refresh_while_its_session_ends_leaves_no_live_token(make_user: MakeUser) -> None:
    user = make_user("viewer")
    session = open_session(user=user)
    token = token_pair(session).refresh
    answer, _ = at_once(Session.objects.all(), [lambda: refresh(token), lambda: deactivate_user(user)])

    assert answer.status_code in {200, 401}
    if answer.status_code == 200:
        assert not works(answer.json()["access_token"])
        assert refresh(answer.json()["refresh_token"]).status_code == 401
