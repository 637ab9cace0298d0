"""``POST /auth/password``."""

from functools import partial

import pytest
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services.users import set_password
from accounts.tests.conftest import Commits
from accounts.tests.races import at_once
from conftest import PASSWORD, ClientOf

pytestmark = pytest.mark.django_db
ANOTHER = "staple the other horse"


def test_the_password_changes_and_all_other_sessions_end(
    viewer: User, client_of: ClientOf, commits: Commits
) -> None:
    this, other = client_of(viewer), client_of(viewer)
    assert other.get("/auth/me").status_code == 200
    with commits():
        response = this.post("/auth/password", {"current_password": PASSWORD, "new_password": ANOTHER})

    assert response.status_code == 204
    assert this.get("/auth/me").status_code == 200
    assert other.get("/auth/me").json()["code"] == "session_ended"
    for password, status in ((PASSWORD, 401), (ANOTHER, 200)):
        login = APIClient().post("/auth/login", {"email": viewer.email, "password": password})
        assert login.status_code == status


def test_a_wrong_current_password_is_pointed_to(viewer: User, client_of: ClientOf) -> None:
    response = client_of(viewer).post(
        "/auth/password", {"current_password": "wrong", "new_password": ANOTHER}
    )

    assert response.status_code == 400
    assert response.json()["errors"][0] == {
        "pointer": "/current_password",
        "code": "wrong_password",
        "detail": "This is not your password.",
    }


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("password12", "password_too_common"),
        ("83920174658291", "password_entirely_numeric"),
        ("viewer@example.org", "password_too_similar"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(
    viewer: User, client_of: ClientOf, password: str, code: str
) -> None:
    response = client_of(viewer).post(
        "/auth/password", {"current_password": PASSWORD, "new_password": password}
    )

    assert response.status_code == 400
    assert ("/new_password", code) in {
        (error["pointer"], error["code"]) for error in response.json()["errors"]
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/current_password"),
        ({"current_password": PASSWORD, "new_password": 1234567890}, "/new_password"),
        ({"current_password": PASSWORD, "new_password": "x" * 257}, "/new_password"),
        ({"current_password": PASSWORD, "new_password": "x" * 1_000_000}, "/new_password"),
        ({"current_password": PASSWORD, "new_password": "correct\x00horse"}, "/new_password"),
        ({"current_password": PASSWORD, "new_password": ANOTHER, "email": "x"}, "/email"),
    ],
)
def test_bad_input_is_a_400(viewer: User, client_of: ClientOf, body: dict[str, object], pointer: str) -> None:
    response = client_of(viewer).post("/auth/password", body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer


def test_guessing_the_current_password_is_slowed_down(viewer: User, client_of: ClientOf) -> None:
    client = client_of(viewer)
    guess = {"current_password": "wrong", "new_password": ANOTHER}
    statuses = [client.post("/auth/password", guess).status_code for _ in range(11)]

    assert statuses == [400] * 10 + [429]


def test_a_user_without_a_role_may_change_their_password(stranger: User, client_of: ClientOf) -> None:
    body = {"current_password": PASSWORD, "new_password": ANOTHER}

    assert client_of(stranger).post("/auth/password", body).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_who_signs_in_while_the_password_changes_gets_no_session(viewer: User) -> None:
    body = {"email": viewer.email, "password": PASSWORD}

    [answer] = at_once(
        User.objects.filter(pk=viewer.pk),
        [lambda: APIClient().post("/auth/login", body)],
        meanwhile=partial(set_password, user=viewer, password=ANOTHER),
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert not Session.objects.alive().exists()
