"""Answers and the queue of reviews for staff; classifiers have a module of their own."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from classification import classifier_admin, results
from classification.models import Classification, Review
from classification.services import reviews
from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each


class OpenReviewsFilter(admin.SimpleListFilter):
    """The queue of reviews, or all answers."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one choice beside all."""
        return [("open", "waits for a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The open reviews."""
        return queryset.filter(awaits_review=True) if self.value() else queryset


@admin.register(Classification)
class ClassificationAdmin(classifier_admin.AlarmsMixin, ReadOnlyMixin, LargeTableAdmin):
    """Answers of classifiers; the doubtful ones can be accepted or rejected here."""

    list_display = ["id", "what", "answer", "confidence", "decision", "created_at"]
    list_filter = [OpenReviewsFilter, "is_audit", "decision"]
    list_select_related = ["category"]
    search_keys = ("job_id", "product__sku")
    search_help_text = "The SKU of a product, or the id of a job."
    actions = ["accept_answers", "reject_answers"]
    fields = [
        "what",
        "product",
        "category",
        "confidence",
        "why",
        "decision",
        "awaits_review",
        "is_audit",
        "ranking",
        "input",
        "classifier",
        "job",
        "error",
        "created_at",
    ]

    def get_ordering(self, request: HttpRequest) -> Any:
        """The least certain first in the queue of reviews, audits by lot among them; else the newest."""
        return ["review_priority", "id"] if OpenReviewsFilter.parameter_name in request.GET else ["-id"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field."""
        return [*super().get_readonly_fields(request, obj), "what", "why", "ranking"]

    @admin.display(description="product as it was")
    def what(self, answer: Classification) -> str:
        """The name that was classified."""
        return str(answer.input.get("name", ""))

    @admin.display(description="category", ordering="category")
    def answer(self, answer: Classification) -> str:
        """The path of the category."""
        return answer.category.path if answer.category else "-"

    @admin.display(description="candidates")
    def ranking(self, answer: Classification) -> str:
        """The categories that it may be, the most likely first."""
        ranked = results.represent_all([answer])[0]["candidates"]
        rows = ((candidate["category"]["path"], candidate["confidence"]) for candidate in ranked)
        return format_html_join("", "<div>{} ({})</div>", rows) or "-"

    @admin.display(description="because of")
    def why(self, answer: Classification) -> str:
        """The terms that spoke for the answer."""
        terms = ((term["term"], term["weight"]) for term in answer.explanation)
        return format_html_join(", ", "{} ({})", terms) or "-"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the user may decide reviews."""
        return request.user.has_perm("classification.decide_review")

    @admin.action(description="Accept the answer", permissions=["decide"])
    def accept_answers(self, request: HttpRequest, queryset: QuerySet[Classification]) -> None:
        """Accept the chosen answers."""
        self._decide(request, queryset, Review.Decision.ACCEPT)

    @admin.action(description="Reject the answer", permissions=["decide"])
    def reject_answers(self, request: HttpRequest, queryset: QuerySet[Classification]) -> None:
        """Reject the chosen answers."""
        self._decide(request, queryset, Review.Decision.REJECT)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Classification], decision: str) -> None:
        decide = partial(
            reviews.decide, decision=decision, category_id=None, note="", user_id=request.user.pk
        )
        do_with_each(self, request, queryset, decide, "decided")


@admin.register(Review)
class ReviewAdmin(ReadOnlyMixin, LargeTableAdmin):
    """What people decided."""

    list_display = ["id", "classification_id", "decision", "category", "decided_by", "decided_at"]
    list_filter = ["decision"]
    list_select_related = ["category", "decided_by"]
