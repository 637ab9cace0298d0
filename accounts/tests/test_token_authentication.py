"""How a request proves whose it is."""

import threading
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts import liveness
from accounts.models import Session, User
from accounts.services.sessions import EndReason, end_sessions, open_session
from accounts.services.users import deactivate_user, update_user
from accounts.tests.conftest import Commits
from accounts.tokens import token_pair
from conftest import PASSWORD, ClientOf, MakeUser
from nexus.ops import redis

pytestmark = pytest.mark.django_db


def with_token(token: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {token}"})


def test_a_warm_session_asks_the_database_nothing(
    viewer: User, client_of: ClientOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(viewer)
    client.get("/auth/me")
    with django_assert_num_queries(0):
        assert client.get("/api/v1/users").status_code == 403


def test_a_cold_session_asks_once(
    viewer: User, client_of: ClientOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(viewer)
    with django_assert_num_queries(1):
        client.get("/api/v1/users")


def test_the_session_notes_when_it_was_seen_to_the_minute(viewer: User, client_of: ClientOf) -> None:
    client = client_of(viewer)
    Session.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    client.get("/auth/me")

    assert timezone.now() - Session.objects.get().last_seen_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Bearer a b c", "bearer ä", "Bearer ..", "Bearer null"]
)
def test_nonsense_is_an_invalid_token(header: str) -> None:
    response = APIClient(headers={"Authorization": header}).get("/auth/me")

    assert response.status_code == 401
    assert response.json()["code"] == "token_invalid"
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Token x", ""])
def test_other_schemes_are_no_sign_in(header: str) -> None:
    response = APIClient(headers={"Authorization": header}).get("/auth/me")

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_expired_forged_and_swapped_tokens_are_refused(viewer: User, editor: User) -> None:
    pair = token_pair(open_session(user=viewer))
    claims: dict[str, Any] = jwt.decode(pair.access, options={"verify_signature": False})
    key = settings.SECRET_KEY
    tokens = {
        jwt.encode(claims | {"exp": 1}, key): "token_expired",
        jwt.encode(claims, "another key of a sufficient length"): "token_invalid",
        jwt.encode(claims, "", algorithm="none"): "token_invalid",
        jwt.encode(claims | {"exp": 10**20}, key): "token_invalid",
        jwt.encode(claims | {"sid": None}, key): "token_invalid",
        jwt.encode(claims | {"sub": str(editor.pk)}, key): "session_ended",
        jwt.encode(claims | {"sub": "9" * 30}, key): "session_ended",
        pair.refresh: "token_invalid",
    }

    for warm in (False, True):
        assert {token: with_token(token).get("/auth/me").json()["code"] for token in tokens} == tokens
        assert with_token(pair.access).get("/auth/me").status_code == 200, warm


def test_new_roles_hold_at_once(viewer: User, client_of: ClientOf, commits: Commits) -> None:
    client = client_of(viewer)
    assert client.get("/auth/me").json()["roles"] == ["viewer"]
    with commits():
        update_user(viewer, roles=["editor"])

    assert client.get("/auth/me").json()["roles"] == ["editor"]


def test_a_deactivated_user_is_out_at_once(viewer: User, client_of: ClientOf, commits: Commits) -> None:
    client = client_of(viewer)
    client.get("/auth/me")
    with commits():
        deactivate_user(viewer)

    assert client.get("/auth/me").json()["code"] == "session_ended"


def test_a_user_who_comes_back_must_sign_in_again(
    viewer: User, client_of: ClientOf, commits: Commits
) -> None:
    client = client_of(viewer)
    with commits():
        deactivate_user(viewer)
        update_user(viewer, is_active=True)

    assert client.get("/auth/me").json()["code"] == "session_ended"
    assert client_of(viewer).get("/auth/me").status_code == 200


def test_a_deleted_user_is_out_at_once(viewer: User, client_of: ClientOf, commits: Commits) -> None:
    client = client_of(viewer)
    client.get("/auth/me")
    with commits():
        viewer.delete()

    assert client.get("/auth/me").json()["code"] == "session_ended"


def test_a_late_reader_of_the_old_state_cannot_bring_a_session_back(
    viewer: User, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session ends between the moment a request reads it from PostgreSQL and the moment it notes that."""
    session = open_session(user=viewer)
    client = with_token(token_pair(session).access)
    keep = liveness._keep

    def keep_late(*args: Any, **kwargs: Any) -> None:
        with commits():
            end_sessions(Session.objects.filter(pk=session.pk), reason=EndReason.LOGOUT)
        keep(*args, **kwargs)

    monkeypatch.setattr(liveness, "_keep", keep_late)
    client.get("/auth/me")

    assert client.get("/auth/me").json()["code"] == "session_ended"


@pytest.mark.usefixtures("redis_down")
def test_without_redis_nobody_is_logged_out_and_ended_sessions_stay_so(
    viewer: User, client_of: ClientOf
) -> None:
    client = client_of(viewer)

    assert client.get("/auth/me").status_code == 200
    assert client.get("/auth/me").status_code == 200
    assert client.post("/auth/logout").status_code == 204
    assert client.get("/auth/me").json()["code"] == "session_ended"


def test_what_ended_while_redis_was_away_is_ended_when_it_is_back(
    viewer: User, client_of: ClientOf, commits: Commits, settings: Any
) -> None:
    client = client_of(viewer)
    client.get("/auth/me")
    url = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis.reset()
    with commits():
        client.post("/auth/logout")
    settings.REDIS_URL = url
    redis.reset()

    assert client.get("/auth/me").json()["code"] == "session_ended"
    for thread in threading.enumerate():
        if thread.name == "telling":
            thread.join(timeout=10)
    assert redis.client().get(f"session:{Session.objects.get().pk}") == b"ended"


def test_an_admin_session_is_accepted(administrator: User) -> None:
    client = APIClient()
    client.login(username=administrator.email, password=PASSWORD)

    assert client.get("/auth/me").json()["roles"] == ["administrator"]
    assert client.get("/api/v1/users").status_code == 200


def test_changes_in_an_admin_session_need_the_csrf_token(administrator: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.get("/admin/login/")
    client.login(username=administrator.email, password=PASSWORD)
    token = client.cookies["csrftoken"].value
    refused = client.patch("/auth/me", {"name": "A"})

    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert client.patch("/auth/me", {"name": "A"}, headers={"X-CSRFToken": token}).status_code == 200


def test_an_inactive_user_has_no_permission(make_user: MakeUser) -> None:
    user = make_user("administrator", is_active=False)

    assert not user.has_perm("accounts.view_user")
    assert not user.has_module_perms("accounts")
    assert user.get_all_permissions() == set()
