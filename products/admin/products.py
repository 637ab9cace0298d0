"""The page of products."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from products import history, search
from products.admin.base import ServiceAdmin
from products.admin.exports import ExportMixin
from products.admin.imports import ImportMixin
from products.models import Product
from products.services import products
from products.services.bulk import update_products
from products.validators import validate_attributes

SHOWN_CHANGES = 20


class ProductForm(forms.ModelForm):
    """The fields of a product."""

    def clean_attributes(self) -> Any:
        """The attributes; an empty field is none. Django would keep it as null, and ask no validator about `[]`."""
        given = self.cleaned_data["attributes"]
        attributes = {} if given is None else given
        validate_attributes(attributes)
        return attributes


@admin.register(Product)
class ProductAdmin(ExportMixin, ImportMixin, ServiceAdmin):
    """Products of the catalogue."""

    form = ProductForm
    list_display = ["sku", "name", "manufacturer", "status", "category", "category_source", "updated_at"]
    list_filter = ["status", "category_source", ("category", admin.EmptyFieldListFilter)]
    list_select_related = ["category"]
    ordering = ["-id"]
    search_fields = ["sku"]
    search_help_text = "Words of the name, part numbers, GTIN or SKU, or their beginnings."
    autocomplete_fields = ["category"]
    readonly_fields = ["category_source", "created_at", "updated_at", "changes"]
    actions = ["activate", "archive"]
    fieldsets = [
        (None, {"fields": ["sku", "name", "manufacturer", "part_number", "gtin"]}),
        ("What it is", {"fields": ["description", "attributes"]}),
        ("State", {"fields": ["status", "category", "category_source", "created_at", "updated_at"]}),
        ("History", {"fields": ["changes"]}),
    ]

    def create(self, fields: dict[str, Any]) -> Product:
        """A new product."""
        return products.create_product(fields)

    @transaction.atomic
    def change(self, pk: Any, changes: dict[str, Any]) -> None:
        """Change a product; a category counts as chosen by a user."""
        products.update_product(_locked(pk), changes)

    def remove(self, pk: Any) -> None:
        """Delete a product."""
        products.delete_product(_locked(pk))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What the API's search finds, the best first."""
        if not search_term.strip():
            return queryset, False
        text = search_term[: search.MAX_LENGTH].replace("\x00", "")
        return search.affordable(search.search(queryset, text)), False  # type: ignore[arg-type]

    @admin.display(description="changes")
    def changes(self, product: Product) -> SafeString | str:
        """The latest changes, with who made them."""
        if product.pk is None:
            return "-"
        latest = history.entries(list(history.events_of(product.pk)[:SHOWN_CHANGES]))
        every = reverse("admin:products_productevent_changelist") + f"?q={product.pk}"
        return render_to_string("admin/products/changes.html", {"entries": latest, "every": every})

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Set the status of the chosen products to active."""
        self._set_status(request, queryset, Product.Status.ACTIVE)

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Set the status of the chosen products to archived."""
        self._set_status(request, queryset, Product.Status.ARCHIVED)

    def _set_status(self, request: HttpRequest, queryset: QuerySet[Product], status: str) -> None:
        ids = list(queryset.order_by().values_list("pk", flat=True))
        self.message_user(request, f"{update_products(ids, {'status': status}).changed} products changed.")


def _locked(pk: Any) -> Product:
    return get_object_or_404(Product.objects.select_for_update(), pk=pk)
