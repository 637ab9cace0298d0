"""The pages of taxonomies and categories."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from nexus.api.admin import do_with_each
from products.admin.base import ServiceAdmin
from products.admin.versions import VersionPagesMixin, tell_of_job
from products.models import Category, Taxonomy
from products.services import categories, taxonomies, taxonomy_deletion


@admin.register(Taxonomy)
class TaxonomyAdmin(VersionPagesMixin, ServiceAdmin):
    """Versions of taxonomies."""

    list_display = ["code", "version", "name", "language", "is_current", "revision", "updated_at"]
    stays_small = True
    list_filter = ["is_current"]
    search_fields = ["code", "name"]
    readonly_fields = ["revision", "created_at", "updated_at"]
    actions = ["make_current"]

    @admin.action(description="Make the version current", permissions=["change"])
    def make_current(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let the chosen versions be the ones that are meant by their codes. Doing it with another takes it back."""
        do_with_each(
            self, request, queryset, lambda row: self.change(row.pk, {"is_current": True}), "made current"
        )

    def create(self, fields: dict[str, Any]) -> Taxonomy:
        """A new taxonomy."""
        return taxonomies.create_taxonomy(fields)

    @transaction.atomic
    def change(self, pk: Any, changes: dict[str, Any]) -> None:
        """Change a taxonomy."""
        taxonomies.lock_versions_of(pk)
        taxonomies.update_taxonomy(taxonomies.lock(pk), changes)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete a taxonomy with its categories, or have a job do it."""
        if job := taxonomy_deletion.delete(taxonomies.lock(obj.pk), user_id=request.user.pk):
            tell_of_job(self, request, job)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the chosen ones: all of them, or none."""
        for taxonomy in queryset:
            self.delete_model(request, taxonomy)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        """The list; that it was deleted is said only when it was."""
        if Taxonomy.objects.filter(pk=obj_id).exists():
            return HttpResponseRedirect(reverse("admin:products_taxonomy_changelist"))
        return super().response_delete(request, obj_display, obj_id)


class CategoryForm(forms.ModelForm):
    """A category with one keyword a line."""

    keywords = SimpleArrayField(
        forms.CharField(max_length=100),
        delimiter="\n",
        required=False,
        widget=forms.Textarea,
        help_text="One a line: synonyms and trade abbreviations as product titles have them.",
    )

    class Meta:
        model = Category
        fields = ["taxonomy", "parent", "code", "name", "description", "keywords"]


@admin.register(Category)
class CategoryAdmin(ServiceAdmin):
    """The nodes of taxonomies."""

    form = CategoryForm
    list_display = ["path", "code", "level", "is_leaf", "taxonomy"]
    list_display_links = ["path"]
    list_filter = ["taxonomy", "is_leaf", "level"]
    list_select_related = ["taxonomy"]
    search_fields = ["path"]
    search_help_text = "Words of the path, the code or a keyword."
    autocomplete_fields = ["taxonomy", "parent"]
    readonly_fields = ["path", "level", "is_leaf", "created_at", "updated_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Category | None = None) -> list[str]:
        """A category stays in its taxonomy."""
        return [*self.readonly_fields, "taxonomy"] if obj else list(self.readonly_fields)

    def create(self, fields: dict[str, Any]) -> Category:
        """A new category."""
        return categories.create_category(fields)

    @transaction.atomic
    def change(self, pk: Any, changes: dict[str, Any]) -> None:
        """Change a category, and the paths of all that lies below it."""
        categories.update_category(_locked(pk), changes)

    def remove(self, pk: Any) -> None:
        """Delete a category."""
        categories.delete_category(_locked(pk))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Categories with all the words."""
        return queryset.with_words(search_term.replace("\x00", "")), False  # type: ignore[attr-defined]


def _locked(pk: Any) -> Category:
    categories.lock_tree_of(pk)
    return get_object_or_404(Category.objects.select_for_update(), pk=pk)
