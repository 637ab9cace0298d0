"""``/auth/sessions``."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services.sessions import open_session
from accounts.tests.conftest import Commits
from conftest import PASSWORD, ClientOf

pytestmark = pytest.mark.django_db


def test_a_user_sees_their_own_sessions_that_are_alive(
    viewer: User, editor: User, client_of: ClientOf
) -> None:
    client = client_of(viewer)
    phone = open_session(user=viewer, ip_address="192.0.2.7", user_agent="Phone")
    open_session(user=editor)
    ended = open_session(user=viewer)
    Session.objects.filter(pk=ended.pk).update(ended_at=timezone.now(), end_reason="logout")
    expired = open_session(user=viewer)
    Session.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    body = client.get("/auth/sessions").json()

    assert (body["count"], body["next"], body["previous"]) == (2, None, None)
    assert set(body["results"][0]) == {
        "id",
        "created_at",
        "last_seen_at",
        "expires_at",
        "ip_address",
        "user_agent",
        "current",
    }
    assert [(result["user_agent"], result["current"]) for result in body["results"]] == [
        ("Phone", False),
        ("pytest", True),
    ]
    assert body["results"][0]["id"] == str(phone.pk)
    assert body["results"][0]["ip_address"] == "192.0.2.7"


def test_the_list_has_pages_and_an_order(viewer: User, client_of: ClientOf) -> None:
    client = client_of(viewer)
    open_session(user=viewer)
    first = client.get("/auth/sessions?page_size=1&ordering=created_at").json()
    second = client.get(first["next"]).json()

    assert [first["results"][0]["current"], second["results"][0]["current"]] == [True, False]
    assert client.get("/auth/sessions?sort=id").status_code == 400


def test_a_session_can_be_ended_from_another(viewer: User, client_of: ClientOf, commits: Commits) -> None:
    this, other = client_of(viewer), client_of(viewer)
    assert other.get("/auth/me").status_code == 200
    [session_id] = [
        result["id"] for result in this.get("/auth/sessions").json()["results"] if not result["current"]
    ]
    with commits():
        response = this.delete(f"/auth/sessions/{session_id}")

    assert response.status_code == 204
    assert other.get("/auth/me").json()["code"] == "session_ended"
    assert this.get("/auth/me").status_code == 200
    assert Session.objects.get(pk=session_id).end_reason == "revoked"
    assert this.delete(f"/auth/sessions/{session_id}").status_code == 404


def test_sessions_of_others_do_not_exist(viewer: User, editor: User, client_of: ClientOf) -> None:
    theirs = open_session(user=editor)
    client = client_of(viewer)

    for session_id in (theirs.pk, uuid.uuid4(), "7", "x"):
        response = client.delete(f"/auth/sessions/{session_id}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    theirs.refresh_from_db()
    assert theirs.ended_at is None


def test_a_user_without_a_role_sees_their_sessions(stranger: User, client_of: ClientOf) -> None:
    assert client_of(stranger).get("/auth/sessions").json()["count"] == 1


def test_an_admin_session_is_none_of_them(administrator: User) -> None:
    open_session(user=administrator)
    client = APIClient()
    client.login(username=administrator.email, password=PASSWORD)

    assert [result["current"] for result in client.get("/auth/sessions").json()["results"]] == [False]


def test_nobody_has_no_sessions() -> None:
    assert APIClient().get("/auth/sessions").status_code == 401
    assert APIClient().delete(f"/auth/sessions/{uuid.uuid4()}").status_code == 401
