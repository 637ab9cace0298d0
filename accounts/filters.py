"""What the list of users can be filtered by."""

import django_filters
from django.db.models import QuerySet

from accounts.models import User, UserQuerySet
from accounts.roles import ROLES
from nexus.api.filters import BooleanFilter, FilterSet


class UserFilterSet(FilterSet):
    """Filters of users."""

    search = django_filters.CharFilter(
        method="by_text", help_text="A part of the e-mail address or the name."
    )
    is_active = BooleanFilter(help_text="Whether the user can log in.")
    role = django_filters.ChoiceFilter(
        choices=[(role, role) for role in ROLES], method="by_role", help_text="A role that the user holds."
    )

    class Meta:
        model = User
        fields: list[str] = []

    def by_text(self, queryset: UserQuerySet, name: str, value: str) -> QuerySet[User]:
        """Users in whose address or name the text occurs."""
        return queryset.search(value)

    def by_role(self, queryset: UserQuerySet, name: str, value: str) -> QuerySet[User]:
        """Users who hold the role."""
        return queryset.holding(value)
