"""``manage.py doctor``."""

import io

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts.models import User
from nexus.ops import redis
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow

pytestmark = pytest.mark.django_db


def report() -> str:
    """What the doctor prints, whatever it finds."""
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out, no_color=True)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def test_it_says_what_is_missing_in_an_empty_installation_and_what_mends_it() -> None:
    text = report()
    assert "wrong    workers: none has reported" in text
    assert "mend: celery -A nexus worker" in text
    assert "wrong    administrator: there is none\n         mend: python manage.py create_admin" in text
    assert "mend: python manage.py seed" in text
    assert text.endswith("3 to mend.")


def test_it_finds_nothing_wrong_where_nothing_is(administrator: User) -> None:
    load_taxonomy("shop", "1", "Shop", [CategoryRow("tools", "Tools")])
    redis.client().zadd("nexus:ops:workers", {"a worker": 32_503_680_000})
    text = report()
    assert "mend:" not in text
    assert text.endswith("Nothing is wrong.\n")


def test_it_warns_of_demo_users_in_production(settings: LazySettings) -> None:
    settings.DEVELOPMENT = False
    User.objects.create_user("admin@example.com", "nexus-demo")
    assert "everybody knows the password of admin@example.com" in report()


def test_a_broker_that_does_not_answer_is_named(settings: LazySettings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    text = report()
    assert "wrong    broker" in text
    assert "correct CELERY_BROKER_URL" in text
