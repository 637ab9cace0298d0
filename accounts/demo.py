"""The users of a demonstration: one for each role."""

from django.db import transaction

from accounts.models import User
from accounts.roles import ADMINISTRATOR, EDITOR, REVIEWER, VIEWER
from accounts.services.users import create_user, set_password

# Role, the address before the @, name.
DEMO_USERS = (
    (VIEWER, "viewer", "Vera Viewer"),
    (EDITOR, "editor", "Edda Editor"),
    (REVIEWER, "reviewer", "Rita Reviewer"),
    (ADMINISTRATOR, "admin", "Ada Administrator"),
)


@transaction.atomic
def create_demo_users(password: str) -> dict[str, User]:
    """One user for each role, by role: those that are missing are made, the others are left as they are."""
    return {role: _demo_user(role, address(local), name, password) for role, local, name in DEMO_USERS}


def address(local: str) -> str:
    """The e-mail address of a demo user, in a domain that belongs to nobody (RFC 2606)."""
    return f"{local}@example.com"


def _demo_user(role: str, email: str, name: str, password: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is not None:
        return user
    user = create_user(email=email, name=name, roles=[role], is_staff=role != VIEWER)
    # Whoever shows Nexus chooses the password; it need not be a good one.
    set_password(user=user, password=password)
    return user
