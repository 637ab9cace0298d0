"""Users and sessions at the admin site."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Session, User
from accounts.services.sessions import open_session
from conftest import PASSWORD, MakeUser

pytestmark = pytest.mark.django_db
ANOTHER = "staple the other horse"


@pytest.fixture
def staff(administrator: User) -> Client:
    """A browser signed in as an administrator."""
    client = Client()
    client.force_login(administrator)
    return client


def change(client: Client, user: User, **data: Any) -> Any:
    form = {"email": user.email, "name": user.name, "is_active": "on", "roles": user.roles, **data}
    url = reverse("admin:accounts_user_change", args=[user.pk])
    return client.post(url, {name: value for name, value in form.items() if value is not None})


def test_staff_sign_in_with_their_address_and_out_again(administrator: User) -> None:
    client = Client()
    response = client.post("/admin/login/", {"username": administrator.email.upper(), "password": PASSWORD})

    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert client.get("/admin/").status_code == 302


def test_users_who_are_no_staff_are_kept_out(viewer: User) -> None:
    response = Client().post("/admin/login/", {"username": viewer.email, "password": PASSWORD})

    assert response.status_code == 200
    assert b"correct e-mail address and password" in response.content


def test_guessing_passwords_is_slowed_down_here_too(administrator: User) -> None:
    client = Client()
    for _ in range(10):
        client.post("/admin/login/", {"username": administrator.email, "password": "wrong"})
    response = client.post("/admin/login/", {"username": administrator.email, "password": PASSWORD})

    assert b"failed too often" in response.content


def test_changing_ones_own_password_ends_ones_sessions(staff: Client, administrator: User) -> None:
    open_session(user=administrator)
    form = {"old_password": PASSWORD, "new_password1": ANOTHER, "new_password2": ANOTHER}
    response = staff.post("/admin/password_change/", form)

    assert response.status_code == 302
    assert Session.objects.get().end_reason == "password_changed"
    assert staff.get("/admin/").status_code == 200
    administrator.refresh_from_db()
    assert administrator.check_password(ANOTHER)


def test_a_user_is_added_with_password_and_roles(staff: Client) -> None:
    form = {
        "email": "New@example.org",
        "name": "N",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "roles": ["editor"],
        "is_staff": "on",
    }
    response = staff.post("/admin/accounts/user/add/", form)

    user = User.objects.get(email="new@example.org")
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("admin:accounts_user_change", args=[user.pk])
    assert (user.roles, user.is_staff, user.check_password(PASSWORD)) == (["editor"], True, True)


def test_an_address_that_is_taken_is_told_in_the_form(staff: Client, viewer: User) -> None:
    form = {"email": "VIEWER@example.org", "usable_password": "false"}
    response = staff.post("/admin/accounts/user/add/", form)

    assert b"Another user has this e-mail address." in response.content


def test_roles_are_boxes_to_tick(staff: Client, viewer: User) -> None:
    page = staff.get(reverse("admin:accounts_user_change", args=[viewer.pk])).content.decode()
    assert page.count('name="roles"') == 4
    assert "user_permissions" not in page

    assert change(staff, viewer, roles=["editor", "reviewer"]).status_code == 302
    assert User.objects.get(pk=viewer.pk).roles == ["editor", "reviewer"]


def test_unticking_active_logs_the_user_out(staff: Client, viewer: User) -> None:
    open_session(user=viewer)
    assert change(staff, viewer, is_active=None).status_code == 302

    assert not User.objects.get(pk=viewer.pk).is_active
    assert Session.objects.get().end_reason == "deactivated"


def test_the_last_administrator_stays(staff: Client, administrator: User) -> None:
    for data in ({"roles": ["viewer"]}, {"is_active": None}):
        response = change(staff, administrator, **data)
        assert b"last active administrator" in response.content
    response = staff.post(
        "/admin/accounts/user/", {"action": "deactivate", "_selected_action": [administrator.pk]}, follow=True
    )

    assert b"last active administrator" in response.content
    user = User.objects.get(pk=administrator.pk)
    assert (user.is_active, user.roles) == (True, ["administrator"])


def test_a_password_given_by_staff_ends_the_users_sessions(staff: Client, viewer: User) -> None:
    open_session(user=viewer)
    form = {"usable_password": "true", "password1": ANOTHER, "password2": ANOTHER, "set-password": "1"}
    response = staff.post(f"/admin/accounts/user/{viewer.pk}/password/", form)

    assert response.status_code == 302
    assert User.objects.get(pk=viewer.pk).check_password(ANOTHER)
    assert Session.objects.get().end_reason == "password_changed"


def test_users_are_never_deleted(staff: Client, viewer: User) -> None:
    assert staff.post(reverse("admin:accounts_user_delete", args=[viewer.pk])).status_code == 403


def test_editors_see_neither_users_nor_sessions(make_user: MakeUser) -> None:
    client = Client()
    client.force_login(make_user("editor", is_staff=True))

    assert client.get("/admin/accounts/user/").status_code == 403
    assert client.get("/admin/accounts/session/").status_code == 403
    assert client.get("/admin/").status_code == 200


def test_sessions_are_ended_and_not_edited(staff: Client, viewer: User) -> None:
    session = open_session(user=viewer)
    page = staff.get(reverse("admin:accounts_session_change", args=[session.pk])).content.decode()
    assert session.refresh_id.hex not in page.replace("-", "")
    assert staff.get("/admin/accounts/session/add/").status_code == 403
    response = staff.post(
        "/admin/accounts/session/", {"action": "end_chosen", "_selected_action": [session.pk]}, follow=True
    )

    assert b"1 ended." in response.content
    session.refresh_from_db()
    assert session.end_reason == "ended_by_staff"


@pytest.mark.parametrize("query", ["", "?q=view", "?role=viewer", "?is_active__exact=1"])
def test_the_list_of_users_costs_the_same_however_long_it_is(
    staff: Client, make_user: MakeUser, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        make_user("viewer", email=f"viewer{number}@example.org")
    staff.get("/admin/accounts/user/")
    with django_assert_max_num_queries(6):
        assert b"viewer19@example.org" in staff.get(f"/admin/accounts/user/{query}").content


@pytest.mark.parametrize("query", ["", "?q=viewer", "?ended_at__isempty=1"])
def test_the_list_of_sessions_costs_the_same_however_long_it_is(
    staff: Client, viewer: User, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        open_session(user=viewer)
    staff.get("/admin/accounts/session/")
    with django_assert_max_num_queries(5):
        assert staff.get(f"/admin/accounts/session/{query}").status_code == 200


def test_the_roles_are_no_groups_to_edit(staff: Client) -> None:
    assert staff.get("/admin/auth/group/").status_code == 404


def test_a_session_is_found_by_its_id_and_by_a_part_of_an_address(staff: Client, viewer: User) -> None:
    session = open_session(user=viewer)

    for query in (str(session.pk), viewer.email[:4].upper()):
        page = staff.get("/admin/accounts/session/", {"q": query})
        assert list(page.context["cl"].result_list) == [session]
