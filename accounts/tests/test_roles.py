"""Roles in the database and in code."""

from itertools import pairwise

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError

from accounts.models import User
from accounts.roles import ROLES, permissions_of
from conftest import MakeUser


def test_a_role_may_do_what_the_roles_before_it_may() -> None:
    allowed = [permissions_of([role]) for role in ROLES]

    assert all(lower <= higher for lower, higher in pairwise(allowed))
    assert "accounts.change_user" in allowed[-1] - allowed[-2]


def test_unknown_roles_may_nothing() -> None:
    assert permissions_of(["king"]) == frozenset()


@pytest.mark.django_db(transaction=True)
def test_the_migration_of_the_groups_goes_both_ways() -> None:
    Group.objects.all().delete()
    call_command("migrate", "accounts", "0001", verbosity=0)
    assert not Group.objects.exists()
    call_command("migrate", "accounts", verbosity=0)

    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


@pytest.mark.django_db
def test_the_database_keeps_addresses_in_lower_case_and_unique(viewer: User) -> None:
    with pytest.raises(IntegrityError, match="accounts_user_email"):
        User.objects.bulk_create([User(email="VIEWER@example.org")])


@pytest.mark.django_db
def test_the_admin_site_and_the_api_ask_the_same_source(make_user: MakeUser) -> None:
    user = make_user("administrator")

    assert user.has_perm("accounts.change_user")
    assert user.has_module_perms("accounts")
    assert not make_user("viewer").has_module_perms("accounts")
