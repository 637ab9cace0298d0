"""``/api/v1/users``."""

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.roles import ROLES
from accounts.services.sessions import open_session
from accounts.services.users import update_user
from accounts.tests.conftest import Commits
from accounts.tests.races import at_once
from conftest import PASSWORD, ClientOf, MakeUser
from nexus.api.errors import Conflict

pytestmark = pytest.mark.django_db
URL = "/api/v1/users"


@pytest.fixture
def client(administrator: User, client_of: ClientOf) -> APIClient:
    """Signed in as an administrator."""
    return client_of(administrator)


def emails(response: Any) -> list[str]:
    return [result["email"] for result in response.json()["results"]]


@pytest.mark.parametrize("role", [*ROLES[:-1], None])
def test_only_administrators_manage_users(role: str | None, make_user: MakeUser, client_of: ClientOf) -> None:
    user = make_user(*[role] if role else [])
    client = client_of(user)
    body = {"email": "new@example.org"}
    answers = [
        client.get(URL),
        client.post(URL, body),
        client.get(f"{URL}/{user.pk}"),
        client.put(f"{URL}/{user.pk}", body),
        client.patch(f"{URL}/{user.pk}", body),
        client.delete(f"{URL}/{user.pk}"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["code"] for answer in answers} == {"permission_denied" if role else "no_role"}


def test_nobody_without_a_token_manages_users() -> None:
    assert APIClient().get(URL).status_code == 401
    assert APIClient().post(URL, {}).status_code == 401


def test_a_user_is_created(client: APIClient) -> None:
    body = {"email": "New@Example.org", "name": "N", "roles": ["reviewer", "viewer"], "password": PASSWORD}
    response = client.post(URL, body)

    assert response.status_code == 201
    created = response.json()
    user = User.objects.get(pk=created["id"])
    assert response.headers["Location"] == f"http://testserver{URL}/{user.pk}"
    assert created == {
        "id": user.pk,
        "email": "new@example.org",
        "name": "N",
        "roles": ["viewer", "reviewer"],
        "is_active": True,
        "is_staff": False,
        "last_login": None,
        "date_joined": created["date_joined"],
    }
    assert client.get(f"{URL}/{user.pk}").headers["ETag"] == response.headers["ETag"]
    login = APIClient().post("/auth/login", {"email": user.email, "password": PASSWORD})
    assert login.json()["user"]["roles"] == ["viewer", "reviewer"]


def test_a_user_without_a_password_cannot_log_in(client: APIClient) -> None:
    assert client.post(URL, {"email": "new@example.org"}).status_code == 201

    login = APIClient().post("/auth/login", {"email": "new@example.org", "password": PASSWORD})
    assert login.status_code == 401


def test_an_address_is_taken_whatever_its_case(client: APIClient, viewer: User, editor: User) -> None:
    answers = [
        client.post(URL, {"email": "VIEWER@example.org"}),
        client.patch(f"{URL}/{editor.pk}", {"email": viewer.email.title()}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "email_taken")] * 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/email"),
        ({"email": 7}, "/email"),
        ({"email": "nobody"}, "/email"),
        ({"email": "a@example.org", "roles": ["king"]}, "/roles/0"),
        ({"email": "a@example.org", "roles": "viewer"}, "/roles"),
        ({"email": "a@example.org", "roles": [None]}, "/roles/0"),
        ({"email": "a@example.org", "is_active": "yes"}, "/is_active"),
        ({"email": "a@example.org", "password": "short"}, "/password"),
        ({"email": "a@example.org", "password": "a@example.org"}, "/password"),
        ({"email": "a@example.org", "name": "\x00"}, "/name"),
        ({"email": "a@example.org", "is_superuser": True}, "/is_superuser"),
    ],
)
def test_bad_input_is_a_400_and_creates_nobody(
    client: APIClient, body: dict[str, object], pointer: str
) -> None:
    response = client.post(URL, body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == pointer
    assert User.objects.count() == 1


def test_the_list_finds_and_filters(client: APIClient, viewer: User, make_user: MakeUser) -> None:
    make_user("viewer", "editor", email="both@example.org", name="Bertha", is_active=False)

    assert emails(client.get(URL)) == ["administrator@example.org", "viewer@example.org", "both@example.org"]
    assert emails(client.get(f"{URL}?search=bert")) == ["both@example.org"]
    assert emails(client.get(f"{URL}?search=VIEWER@")) == ["viewer@example.org"]
    assert emails(client.get(f"{URL}?is_active=false")) == ["both@example.org"]
    assert emails(client.get(f"{URL}?role=viewer&ordering=-email")) == [
        "viewer@example.org",
        "both@example.org",
    ]
    assert emails(client.get(f"{URL}?role=administrator")) == ["administrator@example.org"]
    assert client.get(f"{URL}?role=viewer").json()["count"] == 2


def test_the_list_has_pages(client: APIClient, viewer: User, editor: User) -> None:
    first = client.get(f"{URL}?page_size=2&ordering=email")
    second = client.get(first.json()["next"])

    assert emails(first) + emails(second) == [
        "administrator@example.org",
        "editor@example.org",
        "viewer@example.org",
    ]


@pytest.mark.parametrize(
    "query", ["is_active=1", "role=king", "surname=x", "ordering=password", "page_size=0"]
)
def test_unknown_filters_are_a_400(client: APIClient, query: str) -> None:
    response = client.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"/query/{query.split('=')[0]}"


def test_the_list_costs_three_queries_however_long_it_is(
    client: APIClient, make_user: MakeUser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        make_user("viewer", email=f"user{number}@example.org")
    client.get("/auth/me")
    with django_assert_num_queries(3):
        assert len(client.get(URL).json()["results"]) == 21


def test_a_user_is_replaced_and_what_is_left_out_stays(client: APIClient, viewer: User) -> None:
    whole = client.get(f"{URL}/{viewer.pk}").json()
    response = client.put(f"{URL}/{viewer.pk}", whole | {"name": "V", "roles": ["editor"]})

    assert response.status_code == 200
    assert response.json() == whole | {"name": "V", "roles": ["editor"]}
    assert client.put(f"{URL}/{viewer.pk}", {"email": viewer.email}).json() == response.json()
    assert client.put(f"{URL}/{viewer.pk}", {"name": "V"}).status_code == 400


def test_another_password_logs_the_user_out(client: APIClient, viewer: User, commits: Commits) -> None:
    open_session(user=viewer)
    with commits():
        response = client.patch(f"{URL}/{viewer.pk}", {"password": "staple the other horse"})

    assert response.status_code == 200
    assert "password" not in response.json()
    assert Session.objects.get(user=viewer).end_reason == "password_changed"


def test_deactivating_keeps_the_user_and_ends_their_sessions(
    client: APIClient, viewer: User, client_of: ClientOf, commits: Commits
) -> None:
    theirs = client_of(viewer)
    theirs.get("/auth/me")
    with commits():
        response = client.delete(f"{URL}/{viewer.pk}")

    assert response.status_code == 204
    assert client.get(f"{URL}/{viewer.pk}").json()["is_active"] is False
    assert theirs.get("/auth/me").json()["code"] == "session_ended"
    assert Session.objects.get(user=viewer).end_reason == "deactivated"
    assert client.delete(f"{URL}/{viewer.pk}").status_code == 204
    assert client.patch(f"{URL}/{viewer.pk}", {"is_active": True}).json()["is_active"] is True


@pytest.mark.parametrize("change", [{"is_active": False}, {"roles": ["editor"]}, {"roles": []}, None])
@pytest.mark.parametrize("is_superuser", [False, True])
def test_the_last_administrator_stays(
    client: APIClient,
    administrator: User,
    make_user: MakeUser,
    change: dict[str, object] | None,
    is_superuser: bool,
) -> None:
    make_user("administrator", email="gone@example.org", is_active=False)
    User.objects.filter(pk=administrator.pk).update(is_superuser=is_superuser)
    url = f"{URL}/{administrator.pk}"
    response = client.patch(url, change) if change else client.delete(url)

    assert (response.status_code, response.json()["code"]) == (409, "last_administrator")
    assert client.get(url).json()["roles"] == ["administrator"]


def test_one_of_two_administrators_may_go(client: APIClient, make_user: MakeUser) -> None:
    other = make_user("administrator", email="other@example.org")

    assert client.patch(f"{URL}/{other.pk}", {"roles": ["viewer"]}).json()["roles"] == ["viewer"]


def test_a_superuser_who_is_demoted_is_none_any_more(client: APIClient) -> None:
    root = User.objects.create_superuser("root@example.org", "x")

    assert client.patch(f"{URL}/{root.pk}", {"roles": ["viewer"]}).json()["roles"] == ["viewer"]
    root.refresh_from_db()
    assert not root.is_superuser


def test_changes_can_be_made_conditional(client: APIClient, viewer: User) -> None:
    url = f"{URL}/{viewer.pk}"
    tag = client.get(url).headers["ETag"]

    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert client.patch(url, {"roles": ["editor"]}, headers={"If-Match": tag}).status_code == 200
    for stale in (
        client.patch(url, {"name": "V"}, headers={"If-Match": tag}),
        client.delete(url, headers={"If-Match": tag}),
    ):
        assert stale.status_code == 412


def test_a_key_makes_a_user_once(client: APIClient) -> None:
    def post(email: str) -> Any:
        return client.post(URL, {"email": email}, headers={"Idempotency-Key": "k1"})

    first, again = post("a@example.org"), post("a@example.org")

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert post("b@example.org").json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("key", ["0", "999999", "9" * 30, "x", "-1"])
def test_users_who_do_not_exist_are_a_404(client: APIClient, key: str) -> None:
    for response in (
        client.get(f"{URL}/{key}"),
        client.patch(f"{URL}/{key}", {}),
        client.delete(f"{URL}/{key}"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_slash_at_the_end_is_the_same_address(client: APIClient) -> None:
    assert client.get(f"{URL}/").json() == client.get(URL).json()


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_demote_each_other_at_once_leave_one(make_user: MakeUser) -> None:
    users = [make_user("administrator", email=f"{name}@example.org") for name in "ab"]
    group = Group.objects.filter(name="administrator")
    outcomes = at_once(group, [partial(update_user, user, roles=[]) for user in users])

    assert [outcome.code for outcome in outcomes if isinstance(outcome, Conflict)] == ["last_administrator"]
    assert User.objects.holding("administrator").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_an_address_at_once_one_gets_it(make_user: MakeUser, client_of: ClientOf) -> None:
    client = client_of(make_user("administrator"))
    users = [make_user("viewer", email=f"{name}@example.org") for name in "ab"]

    def take(user: User) -> int:
        return client.patch(f"{URL}/{user.pk}", {"email": "c@example.org"}).status_code

    assert sorted(at_once(User.objects.all(), [partial(take, user) for user in users])) == [200, 409]
