"""The page from which staff download products, with the filters of the API's list."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from nexus.api.admin import explained
from nexus.api.filters import StrictBooleanField
from products.files.formats import FORMATS
from products.filters import ProductFilterSet
from products.models import Product
from products.services import export_jobs, exports
from products.views.files import download

# Filters of the admin's list that the API's list has too, under another name.
CARRIED_OVER = {"q": "search", "status__exact": "status"}
FORMAT = "format"
ACCEPTED = 'Job {} writes these products. When it has succeeded, <a href="{}">download the file</a>.'


class ExportMixin(admin.ModelAdmin):
    """Adds the page of exports to that of products."""

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the pages."""
        address = path("export/", self.admin_site.admin_view(self.export), name="products_product_export")
        return [address, *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The form, or the file that it asks for. Raises PermissionDenied for who may not see products."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return explained(self, request, lambda: self._file(request))
        return TemplateResponse(
            request,
            "admin/products/product/export.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "Export products",
                "form": _form(request),
            },
        )

    def _file(self, request: HttpRequest) -> Any:
        names = [FORMAT, *ProductFilterSet.base_filters]
        values = {name: request.POST[name] for name in names if request.POST.get(name)}
        form = values.pop(FORMAT, "")
        queryset = exports.chosen(values, pointer="")
        exports.check(queryset, form, pointer="/format")
        if not export_jobs.is_too_large(queryset):
            return download(exports.stream(queryset, form), form)
        job = export_jobs.start(values, form, user_id=request.user.pk)
        address = reverse("product-export-file", args=[job.pk])
        self.message_user(request, format_html(ACCEPTED, job.pk, address))
        return HttpResponseRedirect(request.get_full_path())


def _form(request: HttpRequest) -> forms.Form:
    """The filters as fields, with what the list was filtered by."""
    filters = ProductFilterSet(
        dict.fromkeys(ProductFilterSet.base_filters, ""), queryset=Product.objects.none()
    )
    form = forms.Form(initial={CARRIED_OVER.get(name, name): value for name, value in request.GET.items()})
    form.fields[FORMAT] = forms.ChoiceField(choices=[(name, name) for name in FORMATS])
    for name, field in filters.form.fields.items():
        field.label, field.help_text = name, field.label if name != field.label else ""
        form.fields[name] = _with_small_widget(field)
    return form


def _with_small_widget(field: forms.Field) -> forms.Field:
    """A field that is quick to show: not every category is listed, and true and false are."""
    if isinstance(field, forms.ModelChoiceField):
        field.widget = forms.NumberInput()
    elif isinstance(field, StrictBooleanField):
        field.widget = forms.Select(choices=[("", "---------"), ("true", "true"), ("false", "false")])
    return field
