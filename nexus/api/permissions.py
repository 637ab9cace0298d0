"""Who may do what: a view names the permission that each of its actions needs."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from nexus.api.errors import Forbidden, Problem

# The permission of actions that every user with a role may do.
ANY_ROLE = ""


class HasActionPermission(BasePermission):
    """Lets a signed-in user with a role through, when their roles hold the permission that the action needs.

    A view says in `permissions` what each action (of a viewset) or method (of a plain view, in lower case) needs. An
    action that is not in the table is refused, so that a forgotten line closes a door instead of opening one.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the action may go on. Raises Problem (403) with the reason."""
        user = request.user
        if not user.is_authenticated:
            return False
        action = _action(request, view)
        if action in {None, "options", "metadata"}:
            # A method that the view does not have is answered with 405 further on.
            return True
        if action not in getattr(view, "permissions", {}):
            return False
        if not user.roles:
            raise Problem("no_role", "This user has no role yet. An administrator can give one.", status=403)
        permission = view.permissions[action]
        if permission != ANY_ROLE and not user.has_perm(permission):
            raise Forbidden(f"Your roles ({', '.join(user.roles)}) do not allow this.")
        return True


def _action(request: Request, view: Any) -> str | None:
    """What a request asks a view to do; None when the view does not have its method."""
    method = str(request.method).lower()
    if method not in view.http_method_names or not hasattr(view, method):
        return None
    return getattr(view, "action", None) or ("get" if method == "head" else method)
