"""How Django asks who somebody is and what they may do; the API and the admin site get the same answers."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts.roles import permissions_of


class RoleBackend(ModelBackend):
    """Signs in by e-mail address and password, and takes permissions from the user's roles alone.

    `ModelBackend.authenticate` hashes a password for unknown users too, so that the time tells nothing.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """All permissions of an active user, such as ``products.add_product``; none on single objects."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return set(permissions_of(user_obj.roles))

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """None: permissions come with roles."""
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The same as all permissions."""
        return self.get_all_permissions(user_obj, obj)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether a user's roles hold a permission."""
        return perm in self.get_all_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether a user's roles hold any permission of an application."""
        return any(perm.startswith(f"{app_label}.") for perm in self.get_all_permissions(user_obj))
