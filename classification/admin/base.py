"""What several pages for staff have in common."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from classification.services import reclassification
from nexus.api.admin import do_with_each


class ReclassifyMixin(admin.ModelAdmin):
    """Pages of things that touch products, which can be classified again; ``because`` says what the things are."""

    because: str

    def has_classify_permission(self, request: HttpRequest) -> bool:
        """Whether the user may run classifications."""
        return request.user.has_perm("classification.run_classification")

    def reclassify(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Begin a classification of the products that each of the chosen things touches."""
        again = partial(reclassification.reclassify, apply=True, user_id=request.user.pk)
        do_with_each(self, request, queryset, lambda one: again({self.because: one.pk}), "jobs begun")
