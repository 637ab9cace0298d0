"""The pages on which staff import products: a file is checked first, then its guesses and findings are shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from nexus.api.admin import explained
from nexus.jobs.admin import REFRESH_S
from nexus.jobs.models import Job
from products.admin.base import ServiceAdmin
from products.files.delimited import DELIMITERS, ENCODINGS
from products.files.layouts import Row
from products.files.mapping import ATTRIBUTE, TARGETS
from products.models import ImportFault, ImportProfile
from products.services import imports
from products.services.imports import Options
from products.services.imports.kept import rows_of
from products.services.imports.options import MODES, UPSERT, Plan
from products.services.imports.profiles import save_profile
from products.services.imports.rules import rules_of
from products.services.imports.work import counts

SHOWN_ROWS = 10
SHOWN_ERRORS = 100
COLUMN = "column:"
DELIMITER_CHOICES = [("", "guessed"), *((mark, repr(mark).strip("'")) for mark in DELIMITERS)]
ENCODING_CHOICES = [("", "guessed"), *((name, name) for name in ENCODINGS)]


class UploadForm(forms.Form):
    """A file, and what is not to be guessed of it."""

    file = forms.FileField(help_text="CSV, XLSX or JSON lines, each also with gzip.")
    mode = forms.ChoiceField(choices=[(mode, mode) for mode in MODES], initial=UPSERT, help_text="By SKU.")
    profile = forms.ModelChoiceField(
        ImportProfile.objects.all(),
        required=False,
        to_field_name="name",
        help_text="A kept mapping of columns.",
    )
    delimiter = forms.ChoiceField(choices=DELIMITER_CHOICES, required=False)
    encoding = forms.ChoiceField(choices=ENCODING_CHOICES, required=False)
    taxonomy = forms.CharField(
        required=False, help_text="Of categories that name none: code or code@version."
    )

    def options(self) -> Options:
        """A dry run: nothing is written before somebody has seen what would be."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "file"}
        given["profile"] = given["profile"].name if given["profile"] else ""
        return Options(dry_run=True, **given)


class ImportMixin(admin.ModelAdmin):
    """Adds the pages of imports to that of products."""

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the pages."""
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.upload), name="products_product_import"),
            path("import/<uuid:pk>/", view(self.checked), name="products_product_import_checked"),
            *super().get_urls(),
        ]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """The form, and the check of the file that it brings. Raises PermissionDenied for who may not import."""
        self._check_may(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            return explained(self, request, lambda: self._check(request, form))
        return self._page(request, "import.html", title="Import products", form=form)

    def _check(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        file: Any = form.cleaned_data["file"]
        job = imports.accept(file.file, file.name, form.options(), user=request.user)
        return HttpResponseRedirect(_address(job))

    def checked(self, request: HttpRequest, pk: str) -> HttpResponse:
        """What was guessed and found, asked for again until the job has ended; or the import that follows."""
        self._check_may(request)
        job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk, kind=imports.KIND)
        if request.method == "POST":
            return explained(self, request, lambda: self._import(request, job))
        plan = Plan.from_json(job.parameters)
        answer = self._page(
            request,
            "imported.html",
            title=job.reason,
            job=job,
            counts=counts(job),
            columns=_columns(plan),
            targets=TARGETS,
            layout=plan.layout,
            mode=plan.mode,
            modes=MODES,
            rows=_preview(job, plan),
            faults=ImportFault.objects.filter(job=job).order_by("row", "id")[:SHOWN_ERRORS],
        )
        if not job.is_finished:
            answer.headers["Refresh"] = REFRESH_S
        return answer

    def _import(self, request: HttpRequest, job: Job) -> HttpResponse:
        """Import the file of a job with the columns as they are chosen on its page; or check it again."""
        plan = Plan.from_json(job.parameters)
        options = Options(
            mode=request.POST.get("mode", plan.mode),
            dry_run="_check" in request.POST,
            mapping={column: request.POST.get(f"{COLUMN}{column}", "") for column in plan.layout.columns},
            save_profile=request.POST.get("save_profile", "").strip()[:100],
            delimiter=plan.layout.delimiter or None,
            encoding=plan.layout.encoding or None,
            header=plan.layout.header,
            taxonomy=plan.taxonomy,
        )
        return HttpResponseRedirect(_address(imports.again(job, options, user=request.user)))

    def _check_may(self, request: HttpRequest) -> None:
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        return TemplateResponse(
            request,
            f"admin/products/product/{template}",
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )


def _address(job: Job) -> str:
    return reverse("admin:products_product_import_checked", args=[job.pk])


def _columns(plan: Plan) -> list[dict[str, Any]]:
    """The columns of a file with the fields that each may be."""
    return [
        {
            "name": column,
            "field": f"{COLUMN}{column}",
            "target": plan.mapping.get(column, ""),
            "attribute": f"{ATTRIBUTE}{column}",
        }
        for column in plan.layout.columns
    ]


def _preview(job: Job, plan: Plan) -> list[dict[str, Any]]:
    """The first rows as they would be imported; none before they are read."""
    if not job.prepared:
        return []
    rules = rules_of(plan)
    rows: list[Row] = rows_of(job, 0)[:SHOWN_ROWS]
    return [
        {"number": one.number, "values": one.values, "faults": one.faults}
        for one in map(rules.candidate, rows)
    ]


class ProfileForm(forms.ModelForm):
    """How the files of a supplier are read."""

    delimiter = forms.ChoiceField(choices=DELIMITER_CHOICES, required=False)
    encoding = forms.ChoiceField(choices=ENCODING_CHOICES, required=False)


@admin.register(ImportProfile)
class ImportProfileAdmin(ServiceAdmin):
    """How the files of suppliers are read."""

    form = ProfileForm
    list_display = ["name", "delimiter", "encoding", "header", "taxonomy", "updated_at"]
    stays_small = True
    search_fields = ["name"]
    fields = ["name", "mapping", "delimiter", "encoding", "header", "taxonomy"]

    def create(self, fields: dict[str, Any]) -> ImportProfile:
        """A new profile."""
        return save_profile(ImportProfile(), fields)

    def change(self, pk: Any, changes: dict[str, Any]) -> None:
        """Change a profile."""
        save_profile(get_object_or_404(ImportProfile, pk=pk), changes)

    def remove(self, pk: Any) -> None:
        """Delete a profile."""
        get_object_or_404(ImportProfile, pk=pk).delete()
