"""Rules and their conflicts for staff."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.html import escape

from classification.admin.base import ReclassifyMixin
from classification.engine import rules as matcher
from classification.models import Rule, RuleConflict
from classification.services import rule_checks, rules
from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each
from nexus.api.errors import Problem
from products.admin.base import ServiceAdmin
from products.models import Taxonomy


class RuleForm(forms.ModelForm):
    """A rule whose conditions are checked before it is saved."""

    conditions = forms.JSONField(
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80}),
        help_text=escape(
            'A list of {"field", "operator", "value"}, of which all must hold. '
            f"Fields: {', '.join(matcher.FIELDS)}, {matcher.WHOLE_TEXT}, {matcher.ATTRIBUTE}<key>. "
            f"Operators: {', '.join(matcher.OPERATORS)}. "
            "With contains, * stands for any letters of a word."
        ),
    )

    class Meta:
        model = Rule
        fields = ["taxonomy", "name", "conditions", "category", "position", "enabled"]

    def clean_conditions(self) -> Any:
        """The conditions. Raises ValidationError when they mean nothing."""
        conditions = self.cleaned_data["conditions"]
        if not (isinstance(conditions, list) and all(isinstance(one, dict) for one in conditions)):
            raise ValidationError("Give a list of conditions.")
        try:
            rules.check_conditions(conditions)
        except Problem as problem:
            raise ValidationError(str(problem.detail)) from None
        return conditions


@admin.register(Rule)
class RuleAdmin(ReclassifyMixin, ServiceAdmin):
    """What people know for certain, before the classifier is asked."""

    because = "rule"
    form = RuleForm
    list_display = ["name", "taxonomy", "category", "position", "enabled", "hits", "accepted", "corrected"]
    stays_small = True
    list_filter = ["enabled", "taxonomy"]
    list_select_related = ["taxonomy", "category"]
    search_fields = ["name"]
    autocomplete_fields = ["taxonomy", "category"]
    readonly_fields = [
        "disabled_reason",
        "hits",
        "hits_counted_at",
        "accepted",
        "corrected",
        "created_by",
        "created_at",
        "updated_at",
    ]
    actions = ["count_hits", "classify_again"]

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> list[str]:
        """A rule stays in its taxonomy."""
        return [*self.readonly_fields, "taxonomy"] if obj else list(self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Any, form: "forms.ModelForm[Any]", change: bool) -> None:
        """Save what the form has changed; a new rule with who made it."""
        if change:
            super().save_model(request, obj, form, change)
            return
        fields = {name: value for name, value in form.cleaned_data.items() if name != "category"}
        fields["category_id"] = obj.category_id
        obj.pk = rules.create_rule(fields, user_id=request.user.pk).pk

    @transaction.atomic
    def change(self, pk: Any, changes: dict[str, Any]) -> None:
        """Change a rule."""
        rules.update_rule(_locked(pk), changes)

    def remove(self, pk: Any) -> None:
        """Delete a rule."""
        rules.delete_rule(_locked(pk))

    @admin.action(
        description="Count hits and conflicts of all rules of the same taxonomy", permissions=["change"]
    )
    def count_hits(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        """Begin a check of the taxonomies of the chosen rules."""
        taxonomies = Taxonomy.objects.filter(pk__in=queryset.values("taxonomy"))
        check = partial(rule_checks.check_rules, user_id=request.user.pk)
        do_with_each(self, request, taxonomies, check, "jobs begun")

    @admin.action(
        description="Classify again what the rule touches, and write accepted categories",
        permissions=["classify"],
    )
    def classify_again(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        """Begin a classification of the products that each chosen rule touches."""
        self.reclassify(request, queryset)


def _locked(pk: Any) -> Rule:
    return get_object_or_404(Rule.objects.select_for_update(), pk=pk)


@admin.register(RuleConflict)
class RuleConflictAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Which rules contradict each other, as last counted."""

    list_display = ["id", "first", "second", "products", "taxonomy", "counted_at"]
    list_filter = ["taxonomy"]
    list_select_related = ["first", "second", "taxonomy"]
    ordering = ["-products", "-id"]
