"""How often one may fail to sign in."""

from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts import failures
from accounts.models import User
from conftest import PASSWORD

pytestmark = pytest.mark.django_db


def login(email: str, password: str = "wrong", address: str = "192.0.2.1") -> Any:
    return APIClient().post("/auth/login", {"email": email, "password": password}, REMOTE_ADDR=address)


@pytest.fixture(autouse=True)
def _one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute must not turn in the middle of a test."""
    monkeypatch.setattr(failures, "window", lambda: 1)


@pytest.fixture(params=["redis", "no redis"])
def _with_and_without_redis(request: pytest.FixtureRequest) -> None:
    failures._local.clear()
    if request.param == "no redis":
        request.getfixturevalue("redis_down")


@pytest.mark.usefixtures("_with_and_without_redis")
def test_after_ten_failures_an_account_is_closed_for_the_minute(viewer: User) -> None:
    statuses = [login(viewer.email, address=f"192.0.2.{host}").status_code for host in range(11)]

    assert statuses == [401] * 10 + [429]
    closed = login(viewer.email.upper(), PASSWORD, "198.51.100.1")
    assert closed.status_code == 429
    assert closed.json()["code"] == "too_many_attempts"
    assert 1 <= int(closed.headers["Retry-After"]) <= 60


def test_an_unknown_account_is_closed_just_the_same(viewer: User) -> None:
    for email in (viewer.email, "nobody@example.org"):
        statuses = [login(email, address=f"192.0.2.{host}").status_code for host in range(12)]
        assert statuses == [401] * 10 + [429] * 2


@pytest.mark.usefixtures("_with_and_without_redis")
def test_an_address_that_fails_with_many_accounts_is_stopped(viewer: User, settings: LazySettings) -> None:
    settings.LOGINS_PER_MINUTE_BY_ADDRESS = 3
    statuses = [login(f"user{number}@example.org").status_code for number in range(4)]

    assert statuses == [401] * 3 + [429]
    assert login(viewer.email, PASSWORD).status_code == 429
    assert login(viewer.email, PASSWORD, "192.0.2.2").status_code == 200


def test_an_ipv6_network_counts_as_one_address(settings: LazySettings) -> None:
    settings.LOGINS_PER_MINUTE_BY_ADDRESS = 1
    login("a@example.org", address="2001:db8:0:1::1")

    assert login("b@example.org", address="2001:db8:0:1:ffff::2").status_code == 429
    assert login("c@example.org", address="2001:db8:0:2::1").status_code == 401


def test_signing_in_often_is_no_failure(viewer: User) -> None:
    assert {login(viewer.email, PASSWORD).status_code for _ in range(70)} == {200}


def test_the_next_minute_is_open_again(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(11):
        login(viewer.email)
    monkeypatch.setattr(failures, "window", lambda: 2)

    assert login(viewer.email, PASSWORD).status_code == 200


def test_a_user_may_ask_only_so_often(viewer: User, settings: LazySettings) -> None:
    settings.REQUESTS_PER_MINUTE_BY_USER = 2
    token = login(viewer.email, PASSWORD).json()["access_token"]
    client = APIClient(headers={"Authorization": f"Bearer {token}"})
    answers = [client.get("/auth/me") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
