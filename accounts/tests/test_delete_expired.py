"""The hourly clearing."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as BrowserSession
from django.utils import timezone

from accounts.models import Session, User
from accounts.services.sessions import open_session
from accounts.tasks import delete_expired
from nexus.api.models import IdempotencyKey


@pytest.mark.django_db
def test_what_is_long_over_is_forgotten_and_the_rest_is_kept(viewer: User) -> None:
    now = timezone.now()
    for days in (-1, 89, 91):
        session = open_session(user=viewer)
        Session.objects.filter(pk=session.pk).update(expires_at=now - timedelta(days=days))
    for hours in (23, 25):
        key = IdempotencyKey.objects.create(
            user=viewer, key=str(hours), request_digest=b"", status=201, body=b""
        )
        IdempotencyKey.objects.filter(pk=key.pk).update(created_at=now - timedelta(hours=hours))
    for hours in (-1, 1):
        browser = SessionStore()
        browser.create()
        BrowserSession.objects.filter(pk=browser.session_key).update(expire_date=now - timedelta(hours=hours))

    for _ in range(2):
        delete_expired()
        assert (Session.objects.count(), BrowserSession.objects.count()) == (2, 1)
        assert [key.key for key in IdempotencyKey.objects.all()] == ["23"]
