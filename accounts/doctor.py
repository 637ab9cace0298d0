"""What can be wrong with the accounts of an installation (`nexus.ops.doctor`)."""

from django.conf import settings
from django.db.models import Q

from accounts.demo import DEMO_USERS, address
from accounts.models import User
from accounts.roles import ADMINISTRATOR
from nexus.ops.doctor import Finding, register

KNOWN_PASSWORD = "nexus-demo"  # noqa: S105 - of development, where everybody may know it


def check_administrator() -> Finding:
    """Whether anybody can administrate."""
    administrators = User.objects.filter(is_active=True).filter(
        Q(is_superuser=True) | Q(groups__name=ADMINISTRATOR)
    )
    if administrators.exists():
        return Finding("administrator", "there is one")
    return Finding("administrator", "there is none", "python manage.py create_admin")


def check_demo_users() -> Finding:
    """Whether demo users whose password everybody knows can sign in to a production server."""
    if settings.DEVELOPMENT:
        return Finding("demo users", "allowed in development")
    known = [
        user.email
        for user in User.objects.filter(
            email__in=[address(local) for _, local, _ in DEMO_USERS], is_active=True
        )
        if user.check_password(KNOWN_PASSWORD)
    ]
    if known:
        mend = "Deactivate them in the admin, or give them passwords of their own."
        return Finding("demo users", f"everybody knows the password of {', '.join(known)}", mend)
    return Finding("demo users", "none with the password that everybody knows")


def register_checks() -> None:
    """Have `manage.py doctor` look at the accounts."""
    register(check_administrator)
    register(check_demo_users)
