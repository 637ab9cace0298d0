"""Signing in, and how often somebody may fail at it."""

from django.contrib.auth import authenticate
from django.http import HttpRequest

from accounts.failures import count_failure, refuse_after_too_many
from accounts.models import Session, User
from accounts.services.sessions import open_session
from accounts.tokens import invalid_credentials


def check_credentials(
    *, email: str, password: str, address: str | None, request: HttpRequest | None = None
) -> User:
    """The active user of an e-mail address and password.

    Raises Problem: 401 ``invalid_credentials``, the same for a wrong password, an unknown address and an
    inactive user; 429 ``too_many_attempts`` after too many failures, whether or not the account exists.
    """
    account = User.objects.normalize_email(email)
    refuse_after_too_many(account, address)
    user = authenticate(request, username=account, password=password)
    if isinstance(user, User):
        return user
    count_failure(account, address)
    raise invalid_credentials()


def sign_in(*, email: str, password: str, address: str | None, user_agent: str) -> Session:
    """A new session for the user of an address and password. Raises what `check_credentials` raises."""
    user = check_credentials(email=email, password=password, address=address)
    return open_session(user=user, ip_address=address, user_agent=user_agent)
