"""The four roles. Who holds one is data (membership in the group of its name); what it may do is code.

Each application adds the permissions of its own things with `grant` when it starts. A role holds what the
roles before it hold, so a permission is granted to the least role that has it.
"""

from collections.abc import Iterable

VIEWER, EDITOR, REVIEWER, ADMINISTRATOR = ROLES = ("viewer", "editor", "reviewer", "administrator")

_granted: dict[str, set[str]] = {role: set() for role in ROLES}


def grant(role: str, *permissions: str) -> None:
    """Give a role, and every role above it, permissions such as ``products.add_product``."""
    for higher in ROLES[ROLES.index(role) :]:
        _granted[higher].update(permissions)


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """All that the holder of some roles may do."""
    return frozenset().union(*(_granted.get(role, ()) for role in roles))


def crud(app: str, model: str) -> tuple[str, str, str]:
    """The permissions to add, change and delete a model."""
    return f"{app}.add_{model}", f"{app}.change_{model}", f"{app}.delete_{model}"
