"""The history of products and categories, to read."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin
from products.history import ACTIONS, ProductEvent


class ActionFilter(admin.SimpleListFilter):
    """Created, updated or deleted."""

    title, parameter_name = "action", "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three actions."""
        return list(ACTIONS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of one action."""
        return queryset.filter(pgh_label=self.value()) if self.value() in ACTIONS else queryset


class EventAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Rows as they were after a change, or before a deletion."""

    list_filter = [ActionFilter]
    ordering = ["-pgh_id"]
    search_keys = ("pgh_obj",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is not changed."""
        return False

    @admin.display(description="action")
    def action(self, event: Any) -> str:
        """What happened."""
        return ACTIONS[event.pgh_label]

    @admin.display(description="user")
    def user(self, event: Any) -> str:
        """The id of who did it."""
        return str((event.pgh_context or {}).get("user") or "")

    @admin.display(description="source")
    def source(self, event: Any) -> str:
        """What it came through."""
        return (event.pgh_context or {}).get("source") or ""

    @admin.display(description="request")
    def request_id(self, event: Any) -> str:
        """The id of the request."""
        return (event.pgh_context or {}).get("request_id") or ""


@admin.register(ProductEvent)
class ProductEventAdmin(EventAdmin):
    """Every change of a product."""

    list_display = [
        "pgh_created_at",
        "action",
        "pgh_obj_id",
        "sku",
        "name",
        "status",
        "user",
        "source",
        "request_id",
    ]
    search_help_text = "The id of a product, which may be deleted."


@admin.register(apps.get_model("products", "CategoryEvent"))
class CategoryEventAdmin(EventAdmin):
    """Every change of a category."""

    list_display = ["pgh_created_at", "action", "pgh_obj_id", "code", "name", "user", "source", "request_id"]
    search_help_text = "The id of a category, which may be deleted."
