"""The users of a demonstration."""

import pytest
from rest_framework.test import APIClient

from accounts.demo import create_demo_users
from accounts.models import User
from accounts.roles import ROLES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stranger")]


def test_there_is_one_for_each_role() -> None:
    users = create_demo_users("nexus-demo")

    assert {role: (user.email, user.roles, user.is_staff) for role, user in users.items()} == {
        "viewer": ("viewer@example.com", ["viewer"], False),
        "editor": ("editor@example.com", ["editor"], True),
        "reviewer": ("reviewer@example.com", ["reviewer"], True),
        "administrator": ("admin@example.com", ["administrator"], True),
    }
    for user in users.values():
        login = APIClient().post("/auth/login", {"email": user.email, "password": "nexus-demo"})
        assert login.status_code == 200


def test_a_second_time_changes_nothing() -> None:
    first = create_demo_users("nexus-demo")
    User.objects.filter(email="editor@example.com").update(name="Renamed")
    again = create_demo_users("another")

    assert again == first
    assert again["editor"].name == "Renamed"
    assert again["viewer"].check_password("nexus-demo")
    assert User.objects.filter(email__endswith="@example.com").count() == len(ROLES)
