"""``/auth/me``."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import ADMINISTRATOR, permissions_of
from conftest import ClientOf, MakeUser

pytestmark = pytest.mark.django_db


def test_a_user_sees_who_they_are_and_what_they_may_do(editor: User, client_of: ClientOf) -> None:
    response = client_of(editor).get("/auth/me")

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"id", "email", "name", "roles", "permissions", "last_login", "date_joined"}
    assert (body["id"], body["email"], body["roles"]) == (editor.pk, editor.email, ["editor"])
    assert body["permissions"] == sorted(body["permissions"])
    assert body["last_login"].endswith("Z")


def test_an_administrator_may_manage_users(administrator: User, client_of: ClientOf) -> None:
    permissions = client_of(administrator).get("/auth/me").json()["permissions"]

    assert {"accounts.view_user", "accounts.add_user", "accounts.change_user", "accounts.delete_user"} <= set(
        permissions
    )


def test_a_superuser_is_an_administrator(make_user: MakeUser, client_of: ClientOf) -> None:
    user = User.objects.create_superuser("root@example.org", "x")
    body = client_of(user).get("/auth/me").json()

    assert body["roles"] == [ADMINISTRATOR]
    assert body["permissions"] == sorted(permissions_of([ADMINISTRATOR]))


def test_several_roles_come_in_their_order(make_user: MakeUser, client_of: ClientOf) -> None:
    user = make_user("reviewer", "viewer")

    assert client_of(user).get("/auth/me").json()["roles"] == ["viewer", "reviewer"]


def test_a_user_without_a_role_sees_themselves_and_nothing_else(stranger: User, client_of: ClientOf) -> None:
    client = client_of(stranger)

    assert client.get("/auth/me").json()["permissions"] == []
    elsewhere = client.get("/api/v1/users")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "no_role")


def test_the_name_can_be_changed(viewer: User, client_of: ClientOf) -> None:
    response = client_of(viewer).patch("/auth/me", {"name": "Vera"})

    assert response.status_code == 200
    assert response.json()["name"] == "Vera"
    viewer.refresh_from_db()
    assert viewer.name == "Vera"


def test_nothing_else_can_be_changed(viewer: User, client_of: ClientOf) -> None:
    body = {"email": "other@example.org", "roles": ["administrator"], "id": 7}
    response = client_of(viewer).patch("/auth/me", body)

    assert response.status_code == 200
    assert (response.json()["email"], response.json()["roles"]) == (viewer.email, ["viewer"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": 5}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 151}, "/name"),
        ({"name": "x\x00"}, "/name"),
        ({"nickname": "V"}, "/nickname"),
        ({"password": "correct horse battery"}, "/password"),
    ],
)
def test_bad_input_is_a_400(viewer: User, client_of: ClientOf, body: dict[str, object], pointer: str) -> None:
    response = client_of(viewer).patch("/auth/me", body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer


def test_the_profile_has_an_entity_tag(viewer: User, client_of: ClientOf) -> None:
    client = client_of(viewer)
    tag = client.get("/auth/me").headers["ETag"]

    assert client.get("/auth/me", headers={"If-None-Match": tag}).status_code == 304
    assert client.patch("/auth/me", {"name": "V"}, headers={"If-Match": tag}).status_code == 200
    stale = client.patch("/auth/me", {"name": "W"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")


def test_nobody_is_nobody() -> None:
    assert APIClient().get("/auth/me").status_code == 401
    assert APIClient().patch("/auth/me", {"name": "V"}).status_code == 401


def test_the_profile_needs_no_query_of_its_own(
    viewer: User, client_of: ClientOf, django_assert_num_queries: Any
) -> None:
    client = client_of(viewer)
    client.get("/auth/me")
    with django_assert_num_queries(0):
        client.get("/auth/me")


@pytest.mark.django_db(transaction=True)
def test_the_profile_shows_at_once_what_an_administrator_changes(
    viewer: User, administrator: User, client_of: ClientOf
) -> None:
    client = client_of(viewer)
    client.get("/auth/me")
    change = {"name": "Vera", "email": "vera@example.org"}
    assert client_of(administrator).patch(f"/api/v1/users/{viewer.pk}", change).status_code == 200
    body = client.get("/auth/me").json()
    assert {name: body[name] for name in change} == change


@pytest.mark.django_db(transaction=True)
def test_the_profile_shows_the_last_login_at_once_wherever_it_was(
    make_user: MakeUser, client_of: ClientOf, client: Client
) -> None:
    user = make_user("administrator", is_staff=True)
    api = client_of(user)
    for sign_in in (lambda: client_of(user), lambda: client.force_login(user)):
        before = api.get("/auth/me").json()["last_login"]
        sign_in()
        user.refresh_from_db()
        shown = api.get("/auth/me").json()["last_login"]
        assert datetime.fromisoformat(shown) == user.last_login
        assert shown > before
