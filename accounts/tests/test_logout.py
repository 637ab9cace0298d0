"""``POST /auth/logout``."""

import pytest
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services.sessions import open_session
from accounts.tests.conftest import Commits
from accounts.tokens import token_pair
from conftest import PASSWORD, ClientOf

pytestmark = pytest.mark.django_db


def test_both_tokens_of_the_session_stop_working_at_once(viewer: User, commits: Commits) -> None:
    pair = token_pair(open_session(user=viewer))
    client = APIClient(headers={"Authorization": f"Bearer {pair.access}"})
    assert client.get("/auth/me").status_code == 200
    with commits():
        response = client.post("/auth/logout")

    assert response.status_code == 204
    assert response.content == b""
    assert client.get("/auth/me").json()["code"] == "session_ended"
    refresh = client.post("/auth/refresh", {"refresh_token": pair.refresh})
    assert (refresh.status_code, refresh.json()["code"]) == (401, "session_ended")
    assert Session.objects.get().end_reason == "logout"


def test_other_sessions_go_on(viewer: User, client_of: ClientOf, commits: Commits) -> None:
    one, other = client_of(viewer), client_of(viewer)
    with commits():
        one.post("/auth/logout")

    assert one.get("/auth/me").status_code == 401
    assert other.get("/auth/me").status_code == 200


def test_a_second_logout_is_a_401(viewer: User, client_of: ClientOf, commits: Commits) -> None:
    client = client_of(viewer)
    with commits():
        client.post("/auth/logout")

    assert client.post("/auth/logout").status_code == 401


def test_a_user_without_a_role_may_log_out(stranger: User, client_of: ClientOf) -> None:
    assert client_of(stranger).post("/auth/logout").status_code == 204


def test_an_admin_session_ends_too(administrator: User) -> None:
    client = APIClient()
    client.login(username=administrator.email, password=PASSWORD)
    assert client.get("/auth/me").status_code == 200

    assert client.post("/auth/logout").status_code == 204
    assert client.get("/auth/me").status_code == 401


def test_nobody_is_logged_out_without_a_token() -> None:
    response = APIClient().post("/auth/logout")

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert response.headers["WWW-Authenticate"] == "Bearer"
