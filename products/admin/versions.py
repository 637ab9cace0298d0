"""Pages about whole taxonomies: importing a file, what a version changed, and carrying products over to it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from nexus.api.admin import explained
from nexus.api.errors import Problem
from nexus.jobs.models import Job
from products.models import Taxonomy
from products.services import carrying, comparing, taxonomy_imports
from products.services.taxonomy_imports import SHOWN_ISSUES, Import, Wanted
from products.taxonomy_files import Format

SHOWN_DIFFERENCES = 500
SHOWN_JOBS = 10


class ImportForm(forms.Form):
    """A file, and what it may not say itself."""

    file = forms.FileField()
    format = forms.ChoiceField(
        choices=[("", "as the file looks"), *((form.value, form.value) for form in Format)], required=False
    )
    code = forms.SlugField(max_length=60, required=False, help_text="Published taxonomies have their own.")
    version = forms.CharField(max_length=40, required=False, help_text="Where the file does not say it.")
    name = forms.CharField(max_length=200, required=False)
    language = forms.RegexField(
        "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
        max_length=10,
        required=False,
        help_text="Such as de; guessed from the name of the file, and else en.",
    )
    dry_run = forms.BooleanField(required=False, initial=True, help_text="Tell everything and write nothing.")

    def opened(self) -> Import:
        """The file, read. Raises Problem."""
        given = dict(self.cleaned_data)
        file = given.pop("file")
        given.pop("dry_run")
        return taxonomy_imports.open_file(file.read(), file.name or "", Wanted(**given))


class SinceForm(forms.Form):
    """Which version to compare with."""

    since = forms.ModelChoiceField(Taxonomy.objects.none())


class SourceForm(forms.Form):
    """From where products come."""

    source = forms.ModelChoiceField(Taxonomy.objects.none())


class BackForm(forms.Form):
    """What is taken back."""

    job = forms.UUIDField()


def tell_of_job(page: admin.ModelAdmin, request: HttpRequest, job: Job) -> None:
    """Say that a job was accepted, with a link to it."""
    address = reverse("admin:nexus_jobs_job_change", args=[job.pk])
    page.message_user(request, format_html('A job does it: <a href="{}">{}</a>.', address, job))


class VersionPagesMixin:
    """Adds the pages to the admin of taxonomies; each asks for the permission that its service asks for."""

    admin_site: admin.AdminSite

    def get_urls(self) -> list[Any]:
        """The pages before those of single rows."""
        pages: list[tuple[str, Callable[..., HttpResponse], str]] = [
            ("import/", self.import_page, "import"),
            ("<int:pk>/changes/", self.changes_page, "changes"),
            ("<int:pk>/carry/", self.carry_page, "carry"),
        ]
        named = [
            path(route, self.admin_site.admin_view(view), name=f"products_taxonomy_{name}")
            for route, view, name in pages
        ]
        return [*named, *super().get_urls()]  # type: ignore[misc]

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": Taxonomy._meta}
        return TemplateResponse(request, f"admin/products/taxonomy/{template}.html", shared | context)

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """The form; after a dry run or with mistakes the form again, with the report."""
        _require(request, taxonomy_imports.PERMISSION)
        form = ImportForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            try:
                opened = form.opened()
            except Problem as problem:
                form.add_error(None, str(problem.detail))
                return self._page(request, "import", "Import a taxonomy", form=form)
            if not opened.reading.issues and not form.cleaned_data["dry_run"]:
                return self._imported(request, opened)
            context = _shown(opened)
        return self._page(request, "import", "Import a taxonomy", form=form, **context)

    def _imported(self: Any, request: HttpRequest, opened: Import) -> HttpResponse:
        done = taxonomy_imports.run(opened, user_id=request.user.pk)
        if isinstance(done, Job):
            tell_of_job(self, request, done)
        else:
            text = "{added} categories added, {changed} changed, {unchanged} as they were.".format(**done)
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:products_taxonomy_changelist"))

    def changes_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a version changed."""
        _require(request, "products.view_taxonomy")
        taxonomy = get_object_or_404(Taxonomy, pk=pk)
        form = SinceForm(request.GET or None)
        others = Taxonomy.objects.filter(code=taxonomy.code).exclude(pk=pk)
        form.fields["since"].queryset = others  # type: ignore[attr-defined]
        context: dict[str, Any] = {}
        if form.is_bound and form.is_valid():
            report = comparing.compare(form.cleaned_data["since"], taxonomy).report(SHOWN_DIFFERENCES)
            kinds = [(kind, report[kind]) for kind in comparing.KINDS]
            context = {"report": report, "kinds": kinds, "limit": SHOWN_DIFFERENCES}
        return self._page(
            request, "changes", "What a version changed", form=form, taxonomy=taxonomy, **context
        )

    def carry_page(self: Any, request: HttpRequest, pk: int) -> HttpResponse:
        """What carrying over would do, and the buttons that do it and take it back."""
        _require(request, carrying.PERMISSION)
        taxonomy = get_object_or_404(Taxonomy, pk=pk)
        return explained(self, request, lambda: self._carry(request, taxonomy))

    def _carry(self: Any, request: HttpRequest, taxonomy: Taxonomy) -> HttpResponse:
        if request.method == "POST":
            tell_of_job(self, request, _accepted(request, taxonomy))
            return HttpResponseRedirect(request.path)
        form = _source_form(request.GET or None, taxonomy)
        context: dict[str, Any] = {}
        if form.is_bound and form.is_valid():
            source = form.cleaned_data["source"]
            try:
                context = {"source": source, "preview": carrying.preview(source, taxonomy)}
            except Problem as problem:
                self.message_user(request, str(problem.detail), messages.ERROR)
        jobs = Job.objects.filter(kind=carrying.KIND, parameters__target=taxonomy.pk)[:SHOWN_JOBS]
        return self._page(
            request, "carry", "Carry products over", form=form, taxonomy=taxonomy, jobs=jobs, **context
        )


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _shown(opened: Import) -> dict[str, Any]:
    issues = opened.reading.issues
    return {
        "report": None if issues else taxonomy_imports.preview(opened),
        "error_count": len(issues),
        "errors": [issue.as_document() for issue in issues[:SHOWN_ISSUES]],
    }


def _accepted(request: HttpRequest, taxonomy: Taxonomy) -> Job:
    """The job that a button asks for. Raises Problem."""
    form = BackForm(request.POST) if "back" in request.POST else _source_form(request.POST, taxonomy)
    if not form.is_valid():
        raise Problem("invalid", "There is no such taxonomy or job any more.")
    given = form.cleaned_data
    if "job" in given:
        return carrying.carry_back(taxonomy, given["job"], user_id=request.user.pk)
    return carrying.carry_over(given["source"], taxonomy, user_id=request.user.pk)


def _source_form(data: Any, taxonomy: Taxonomy) -> SourceForm:
    form = SourceForm(data)
    form.fields["source"].queryset = Taxonomy.objects.exclude(pk=taxonomy.pk)  # type: ignore[attr-defined]
    return form
