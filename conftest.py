"""Fixtures of the whole project: people with each role, clients signed in as them, and a clean Redis."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.test import TransactionTestCase
from rest_framework.test import APIClient
from xdist.scheduler import LoadScopeScheduling

from accounts.models import User
from accounts.roles import ADMINISTRATOR, EDITOR, REVIEWER, ROLES, VIEWER
from accounts.services.sessions import open_session
from accounts.services.users import create_user
from accounts.tokens import token_pair
from nexus.celery import app
from nexus.ops import health, redis

PASSWORD = "correct horse battery"  # noqa: S105

MakeUser = Callable[..., User]
ClientOf = Callable[[User], APIClient]

MADE_BY_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission"}
# Tests that share what takes long to start: they run one after the other in one process.
TOGETHER = {
    "tests/browser/": "live",
    "tests/test_fuzz.py": "live",
    "tests/test_readme.py": "live",
    "tests/test_server.py": "live",
    "tests/contract/": "contract",
    "tests/faults/": "faults",
}


class ByPlace(LoadScopeScheduling):
    """Hands out the tests of a file together, in the order in which they are found, so that the long ones begin."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((name for place, name in TOGETHER.items() if file.startswith(place)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Distribute by place, whatever ``--dist`` says."""
    config.option.loadscopereorder = False
    return ByPlace(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores, for many a test waits for a service most of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Argon2 is slow on purpose; tests have nothing to protect."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_when_asked_for() -> Iterator[None]:
    """WhiteNoise reads every static file when a client is made, which is in most tests, and few ask for one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "WHITENOISE_AUTOREFRESH", True, raising=False)
        yield


def _empty_what_was_filled(_: TransactionTestCase) -> None:
    """Empty the tables that hold rows; what migrations have made stays as they made it."""
    has_rows = "SELECT '{0}' WHERE EXISTS (SELECT FROM {0})"
    with connection.cursor() as cursor:
        tables = sorted({*connection.introspection.table_names(cursor)} - MADE_BY_MIGRATIONS)
        cursor.execute(" UNION ALL ".join(has_rows.format(table) for table in tables))
        filled = ", ".join(table for (table,) in cursor.fetchall())
        if filled:
            cursor.execute(f"TRUNCATE {filled} CASCADE")


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Django truncates every table after a test with real transactions, and makes all permissions again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_what_was_filled)
        yield


@pytest.fixture(scope="session", autouse=True)
def _close_health(django_db_setup: None) -> Iterator[None]:
    """The probe of the database holds a connection, which would keep the test database from being dropped."""
    yield
    health.close()


@pytest.fixture(scope="session", autouse=True)
def _own_redis() -> Iterator[None]:
    """Use a database of Redis that nothing else uses, since tests empty it: 15, or a lower one for each worker."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    url = urlsplit(settings.REDIS_URL)._replace(path=f"/{15 - worker}").geturl()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "REDIS_URL", url)
        patch.setattr(settings, "CELERY_BROKER_URL", url)
        patch.setattr(app.conf, "broker_url", url)
        patch.setitem(settings.CACHES["default"], "LOCATION", url)
        redis.reset()
        yield


@pytest.fixture(autouse=True)
def _clean_redis(_own_redis: None) -> None:
    """Begin every test with an empty Redis: what an earlier test left there is about rows that are gone."""
    redis.guarded(lambda client: client.flushdb(), default=None)


@pytest.fixture(autouse=True)
def _no_audits_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no answer for an audit but where all are to be drawn: else one test in a hundred would see one."""
    from classification.services import auditing

    drawn = auditing.lots
    monkeypatch.setattr(auditing, "lots", lambda *item: (0.999, drawn(*item)[1]))


@pytest.fixture
def roles(db: None) -> None:
    """The roles, as migrations have made them: tests with real transactions leave an empty database behind."""
    Group.objects.bulk_create([Group(name=role) for role in ROLES], ignore_conflicts=True)


@pytest.fixture
def make_user(roles: None) -> MakeUser:
    """Make users: ``make_user("editor", email=..., name=...)``; their password is `PASSWORD`."""

    def make(*roles: str, email: str = "", **fields: Any) -> User:
        email = email or f"{'.'.join(roles) or 'stranger'}@example.org"
        return create_user(email=email, password=PASSWORD, roles=roles, **fields)

    return make


@pytest.fixture
def viewer(make_user: MakeUser) -> User:
    """May read."""
    return make_user(VIEWER)


@pytest.fixture
def editor(make_user: MakeUser) -> User:
    """May also write products, and run classifications and workflows."""
    return make_user(EDITOR)


@pytest.fixture
def reviewer(make_user: MakeUser) -> User:
    """May also decide reviews and approvals."""
    return make_user(REVIEWER)


@pytest.fixture
def administrator(make_user: MakeUser) -> User:
    """May do everything."""
    return make_user(ADMINISTRATOR, is_staff=True)


@pytest.fixture
def stranger(make_user: MakeUser) -> User:
    """Has no role: may log in, and nothing else."""
    return make_user()


@pytest.fixture
def client_of() -> ClientOf:
    """Make API clients: ``client_of(editor)`` sends the access token of a session of its own."""

    def make(user: User) -> APIClient:
        client = APIClient()
        session = open_session(user=user, user_agent="pytest")
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_pair(session).access}")
        return client

    return make
