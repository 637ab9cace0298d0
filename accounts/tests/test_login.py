"""``POST /auth/login``."""

from typing import Any

import pytest
from django.contrib.auth import hashers
from rest_framework.test import APIClient

from accounts.models import Session, User
from conftest import PASSWORD, MakeUser

pytestmark = pytest.mark.django_db


def login(email: object, password: object = PASSWORD, **headers: str) -> Any:
    body = {"email": email, "password": password}
    return APIClient().post("/auth/login", body, headers=headers)


def test_a_user_gets_tokens_and_their_profile(editor: User) -> None:
    response = login(editor.email)

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert body["user"]["roles"] == ["editor"]
    assert response.headers["Cache-Control"] == "no-store"
    me = APIClient().get("/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.json() == body["user"]


def test_the_session_remembers_where_it_came_from(editor: User) -> None:
    login(editor.email, **{"User-Agent": "Browser " + "x" * 400})

    session = Session.objects.get()
    assert session.user == editor
    assert session.ip_address == "127.0.0.1"
    assert session.user_agent.startswith("Browser xxx")
    assert len(session.user_agent) == 300
    editor.refresh_from_db()
    assert editor.last_login == session.created_at


@pytest.mark.parametrize("email", ["EDITOR@Example.org", "  editor@example.org "])
def test_the_address_may_be_typed_in_any_case(editor: User, email: str) -> None:
    assert login(email).status_code == 200


def test_a_user_without_a_role_may_log_in(stranger: User) -> None:
    assert login(stranger.email).json()["user"]["roles"] == []


def test_wrong_password_unknown_address_and_inactive_user_look_the_same(
    editor: User, make_user: MakeUser
) -> None:
    gone = make_user("viewer", email="gone@example.org", is_active=False)
    answers = [login(editor.email, "wrong password"), login("nobody@example.org"), login(gone.email)]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert [answer.headers["WWW-Authenticate"] for answer in answers] == ["Bearer"] * 3
    bodies = [answer.json() | {"request_id": None} for answer in answers]
    assert bodies[0]["code"] == "invalid_credentials"
    assert bodies[1:] == bodies[:1] * 2
    assert not Session.objects.exists()


def test_a_password_is_hashed_for_unknown_addresses_too(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    encode = hashers.MD5PasswordHasher.encode

    def encode_and_tell(self: hashers.MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", encode_and_tell)
    login("nobody@example.org", "something")

    assert hashed == ["something"]


def test_a_user_without_a_password_cannot_log_in(make_user: MakeUser) -> None:
    user = make_user("viewer")
    user.set_unusable_password()
    user.save()

    assert login(user.email, "").status_code == 400
    assert login(user.email, user.password).status_code == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"password": "x"}, "/email"),
        ({"email": "a@example.org"}, "/password"),
        ({"email": ["a@example.org"], "password": "x"}, "/email"),
        ({"email": "a@example.org", "password": {"x": 1}}, "/password"),
        ({"email": "a@example.org", "password": None}, "/password"),
        ({"email": "a\x00@example.org", "password": "x"}, "/email"),
        ({"email": "a@example.org", "password": "x\x00"}, "/password"),
        ({"email": "a@example.org", "password": "x" * 257}, "/password"),
        ({"email": "a@example.org", "password": "x" * 1_000_000}, "/password"),
        ({"email": "no address", "password": "x"}, "/email"),
        ({"email": "a@example.org", "password": "x", "remember": True}, "/remember"),
    ],
)
def test_bad_input_is_a_400_that_points_to_it(body: dict[str, object], pointer: str) -> None:
    response = APIClient().post("/auth/login", body)

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "{", "", "[1]"])
def test_a_body_that_is_no_object_is_a_400(body: str) -> None:
    response = APIClient().post("/auth/login", body, content_type="application/json")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_old_access_token_does_not_stand_in_the_way(editor: User) -> None:
    assert login(editor.email, Authorization="Bearer nonsense").status_code == 200
