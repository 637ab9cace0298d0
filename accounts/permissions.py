"""Who may use the endpoints about oneself."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class IsSignedIn(BasePermission):
    """Lets every signed-in user through, also one without a role."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the request has a user."""
        return bool(request.user.is_authenticated)
