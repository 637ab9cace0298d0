"""``manage.py create_admin``."""

import getpass
import io

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User
from conftest import PASSWORD, MakeUser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch, make_user: MakeUser) -> None:
    monkeypatch.setenv("NEXUS_ADMIN_PASSWORD", PASSWORD)
    make_user("viewer")


def create_admin(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_admin", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_it_makes_an_administrator_who_can_use_api_and_admin_site() -> None:
    assert (
        create_admin("--email", "Boss@Example.org", "--name", "B")
        == "boss@example.org is a new administrator.\n"
    )

    user = User.objects.get(email="boss@example.org")
    assert (user.name, user.roles, user.is_staff, user.is_superuser) == ("B", ["administrator"], True, False)
    login = APIClient().post("/auth/login", {"email": user.email, "password": PASSWORD})
    assert login.status_code == 200
    assert APIClient().login(username=user.email, password=PASSWORD)


def test_it_promotes_a_user_there_is(make_user: MakeUser) -> None:
    make_user("editor", email="ed@example.org", name="Ed", is_active=False)

    assert create_admin("--email", "ed@example.org") == "ed@example.org is now an administrator.\n"
    user = User.objects.get(email="ed@example.org")
    assert (user.name, user.roles, user.is_active) == ("Ed", ["editor", "administrator"], True)


def test_it_refuses_an_easy_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXUS_ADMIN_PASSWORD", "password")
    with pytest.raises(CommandError, match="too short"):
        create_admin("--email", "boss@example.org")

    assert not User.objects.filter(email="boss@example.org").exists()


def test_it_leaves_a_user_alone_when_it_refuses_the_password(
    viewer_again: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_ADMIN_PASSWORD", "password")
    with pytest.raises(CommandError):
        create_admin("--email", viewer_again.email)

    viewer_again.refresh_from_db()
    assert (User.objects.get(pk=viewer_again.pk).roles, viewer_again.is_staff) == (["viewer"], False)


def test_it_refuses_what_is_no_address() -> None:
    with pytest.raises(CommandError, match="valid email"):
        create_admin("--email", "boss")


def test_it_asks_for_the_password_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXUS_ADMIN_PASSWORD")
    typed = iter([PASSWORD, PASSWORD, PASSWORD, "another"])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))
    create_admin("--email", "boss@example.org")

    with pytest.raises(CommandError, match="differ"):
        create_admin("--email", "boss2@example.org")
    assert User.objects.get(email="boss@example.org").check_password(PASSWORD)


@pytest.fixture
def viewer_again() -> User:
    return User.objects.get(email="viewer@example.org")
