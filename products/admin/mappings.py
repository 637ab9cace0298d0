"""The pages of steps between taxonomies: suggestions to confirm, and what people decided."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from nexus.api.admin import do_with_each, explained
from nexus.jobs.models import Job
from products.admin.base import ServiceAdmin
from products.admin.versions import tell_of_job
from products.models import Category, CategoryMapping, Taxonomy
from products.services import mapping

# What else can suggest steps, by the label of its button; rooms above this one add to it. Each accepts a job.
suggesters: dict[str, Callable[..., Job]] = {}


class MappingForm(forms.ModelForm):
    """A category and its target; where nothing takes its place, the taxonomy of which that holds."""

    class Meta:
        model = CategoryMapping
        fields = ["source", "target", "target_taxonomy"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("target_taxonomy"):
            field.required = False

    def clean(self) -> dict[str, Any]:
        """The values, with the taxonomy that follows from the target. Raises ValidationError without either."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        target = given.get("target")
        if target is not None:
            given["target_taxonomy"] = target.taxonomy
        elif not self.instance.pk and given.get("target_taxonomy") is None:
            raise forms.ValidationError("Choose a target, or the taxonomy in which there is none.")
        return given

    def _post_clean(self) -> None:
        """Nothing: the service derives the rest of the row, and the database refuses what is wrong."""


class PairForm(forms.Form):
    """Two taxonomies."""

    source = forms.ModelChoiceField(Taxonomy.objects.all())
    target = forms.ModelChoiceField(Taxonomy.objects.all())


@admin.register(CategoryMapping)
class CategoryMappingAdmin(ServiceAdmin):
    """Where categories have gone."""

    form = MappingForm
    list_display = ["source", "target", "kind", "basis", "confidence", "is_decided", "decided_by"]
    list_filter = ["is_decided", "basis", "kind", "source_taxonomy", "target_taxonomy"]
    list_select_related = ["source", "target", "decided_by"]
    search_fields = ("source__code",)
    search_help_text = "The id or the code of a category."
    autocomplete_fields = ["source", "target"]
    readonly_fields = ["kind", "basis", "confidence", "is_decided", "decided_by", "decided_at"]
    actions = ["confirm"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Steps from or to the categories that a term names by id or code."""
        term = search_term.strip().replace("\x00", "")
        if not term:
            return queryset, False
        named = Category.objects.filter(code=term).values("pk")
        found = queryset.filter(source__in=named) | queryset.filter(target__in=named)
        if term.isascii() and term.isdigit() and len(term) < 19:
            found = found | queryset.filter(source=int(term))
        return found, False

    def get_readonly_fields(self, request: HttpRequest, obj: CategoryMapping | None = None) -> list[str]:
        """A step keeps its source and its taxonomy."""
        return [*self.readonly_fields, *(["source", "target_taxonomy"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep what the form decides."""
        given = form.cleaned_data
        if change:
            step = _step(obj.pk)
            mapping.change(step, given["target"], user_id=request.user.pk)
        else:
            made = mapping.decide(
                given["source"], given["target"], given["target_taxonomy"], user_id=request.user.pk
            )
            obj.pk = made.pk

    def remove(self, pk: Any) -> None:
        """Delete a step."""
        mapping.forget(_step(pk))

    @admin.action(description="Confirm the suggestion", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let products be carried along the chosen steps."""

        def confirm_one(step: CategoryMapping) -> None:
            mapping.change(step, step.target, user_id=request.user.pk)

        steps = queryset.select_related("source", "target", "source_taxonomy", "target_taxonomy")
        do_with_each(self, request, steps, confirm_one, "confirmed")

    def get_urls(self) -> list[Any]:
        """The page that proposes, before those of single rows."""
        view = self.admin_site.admin_view(self.propose_page)
        return [path("propose/", view, name="products_categorymapping_propose"), *super().get_urls()]

    def propose_page(self, request: HttpRequest) -> HttpResponse:
        """The form of two taxonomies; afterwards the list of the suggestions."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return explained(self, request, lambda: self._propose(request))

    def _propose(self, request: HttpRequest) -> HttpResponse:
        form = PairForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            if suggest := suggesters.get(request.POST.get("suggest", "")):
                tell_of_job(self, request, suggest(**form.cleaned_data, user_id=request.user.pk))
                return HttpResponseRedirect(request.path)
            counts = mapping.propose(**form.cleaned_data)
            self.message_user(
                request,
                f"{counts['code']} by code, {counts['path']} by path, {counts['name']} to confirm by name.",
            )
            return HttpResponseRedirect(reverse("admin:products_categorymapping_changelist"))
        context = {**self.admin_site.each_context(request), "title": "Propose steps", "opts": self.opts}
        template = "admin/products/categorymapping/propose.html"
        return TemplateResponse(request, template, {**context, "form": form, "suggesters": suggesters})


def _step(pk: Any) -> CategoryMapping:
    steps = CategoryMapping.objects.select_related("source_taxonomy", "target_taxonomy")
    return get_object_or_404(steps, pk=pk)
