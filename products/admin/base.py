"""What the pages of this application share: changes go through the services, and costs are bounded."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from nexus.api.admin import LargeTableAdmin, explained


class ServiceAdmin(LargeTableAdmin):
    """A page whose forms, deletions and refusals are those of the services."""

    def create(self, fields: dict[str, Any]) -> Model:
        """Save a new row. Raises Problem."""
        raise NotImplementedError

    def change(self, pk: Any, changes: dict[str, Any]) -> None:
        """Change a row. Raises Problem."""
        raise NotImplementedError

    def remove(self, pk: Any) -> None:
        """Delete a row. Raises Problem."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        """Save what the form has changed."""
        names = form.changed_data if change else form.cleaned_data
        fields = {
            obj._meta.get_field(name).attname: getattr(obj, obj._meta.get_field(name).attname)
            for name in names
        }
        if change:
            self.change(obj.pk, fields)
        else:
            obj.pk = self.create(fields).pk
        # The message names the row, a category by the path that the service has made.
        obj.refresh_from_db()

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete one row."""
        self.remove(obj.pk)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the chosen rows: all of them, or none."""
        for pk in queryset.values_list("pk", flat=True):
            self.remove(pk)

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What a deletion is about. What hangs on it is not loaded: there may be millions, and services refuse."""
        names = [str(obj) for obj in objs]
        missing = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        return names, {str(self.opts.verbose_name_plural): len(names)}, missing, []

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; when a service refuses, the form again with the reason."""
        return explained(
            self, request, lambda: super(ServiceAdmin, self).changeform_view(request, *args, **kwargs)
        )

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The question before a deletion; when a service refuses, the question again with the reason."""
        return explained(
            self, request, lambda: super(ServiceAdmin, self).delete_view(request, *args, **kwargs)
        )

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The list; when an action is refused, the list again with the reason."""
        return explained(
            self, request, lambda: super(ServiceAdmin, self).changelist_view(request, *args, **kwargs)
        )
