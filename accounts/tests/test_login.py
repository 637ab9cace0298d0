"""``POST /auth/login``."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from conftest import PASSWORD

pytestmark = pytest.mark.django_db


def login(email: object, password: object = PASSWORD, **headers: str):
    return APIClient().post("/auth/login", {"email": email, "password": password}, **headers)


def test_a_user_gets_tokens_and_their_profile(editor: User) -> None:
    response = login(editor.email)

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert body["user"]["email"] == editor.email
    assert body["user"]["roles"] == ["editor"]
    assert response.headers["Cache-Control"] == "no-store"
    me = APIClient().get("/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.json() == body["user"]
