"""Classifiers, answers and the queue of reviews for staff."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from classification.models import Classification, Classifier, Review
from classification.services import reviews, training
from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin
from nexus.api.errors import Problem
from products.models import Taxonomy


class OpenReviewsFilter(admin.SimpleListFilter):
    """The queue of reviews, or all answers."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one choice beside all."""
        return [("open", "waits for a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The open reviews, the least certain first."""
        return queryset.filter(awaits_review=True).order_by("confidence", "id") if self.value() else queryset


@admin.register(Classification)
class ClassificationAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Answers of classifiers; the doubtful ones can be accepted or rejected here."""

    list_display = ["id", "what", "category", "confidence", "decision", "awaits_review", "created_at"]
    list_filter = [OpenReviewsFilter, "decision"]
    list_select_related = ["category"]
    search_fields = ["=product__sku", "=job__id"]
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
        "input",
        "candidates",
        "classifier",
        "job",
        "error",
        "created_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Answers without the artefact of their classifier."""
        return super().get_queryset(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field."""
        return [*super().get_readonly_fields(request, obj), "what", "why"]

    @admin.display(description="product as it was")
    def what(self, answer: Classification) -> str:
        """The name that was classified."""
        return str(answer.input.get("name", ""))

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
        count = 0
        for answer in queryset:
            try:
                reviews.decide(
                    answer, decision=decision, category_id=None, note="", user_id=request.user.pk or 0
                )
                count += 1
            except Problem as problem:
                self.message_user(request, f"{answer.pk}: {problem.detail}", messages.WARNING)
        self.message_user(request, f"{count} decided.")


@admin.register(Classifier)
class ClassifierAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Versions of classifiers; one of each taxonomy is active."""

    list_display = ["id", "taxonomy", "version", "status", "training_size", "created_at", "activated_at"]
    list_filter = ["status"]
    list_select_related = ["taxonomy"]
    exclude = ["artefact"]
    actions = ["activate_classifier", "train_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Classifiers without their artefacts, which are megabytes."""
        return Classifier.objects.without_artefact()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field that is shown."""
        return [name for name in super().get_readonly_fields(request, obj) if name != "artefact"]

    @admin.action(description="Activate", permissions=["change"])
    def activate_classifier(self, request: HttpRequest, queryset: QuerySet[Classifier]) -> None:
        """Let the chosen classifier answer for its taxonomy."""
        for classifier in queryset:
            try:
                training.activate(classifier)
                self.message_user(request, f"{classifier} is active.")
            except Problem as problem:
                self.message_user(request, str(problem.detail), messages.WARNING)

    @admin.action(description="Train a new version for the same taxonomy", permissions=["change"])
    def train_again(self, request: HttpRequest, queryset: QuerySet[Classifier]) -> None:
        """Begin the training of a new version for each taxonomy of the chosen classifiers."""
        for taxonomy in Taxonomy.objects.filter(pk__in=queryset.values("taxonomy")):
            try:
                training.train(taxonomy, user_id=request.user.pk)
                self.message_user(request, f"A classifier for {taxonomy} is being trained.")
            except Problem as problem:
                self.message_user(request, str(problem.detail), messages.WARNING)


@admin.register(Review)
class ReviewAdmin(ReadOnlyMixin, LargeTableAdmin):
    """What people decided."""

    list_display = ["id", "classification_id", "decision", "category", "decided_by", "decided_at"]
    list_filter = ["decision"]
    list_select_related = ["category", "decided_by"]
