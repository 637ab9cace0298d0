"""Answers and the queue of reviews for staff."""

import re
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from classification import results
from classification.admin.classifiers import AlarmsMixin
from classification.models import Classification, Review
from classification.services import mapping_suggestions, reviews
from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each, explained
from products.admin.mappings import suggesters

# One word of five hundred letters would push all other columns of a list off the screen.
LONG_WORD = re.compile(r"\S{25}(?=\S)")
ZERO_WIDTH_SPACE = "\u200b"


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


def may_decide(request: HttpRequest) -> bool:
    """Whether the user may decide reviews."""
    return request.user.has_perm("classification.decide_review")


class ReviewInline(admin.StackedInline):
    """The decision about an answer: to make while it is open, to read afterwards."""

    model = Review
    fields = ["decision", "category", "note", "decided_by", "decided_at"]
    readonly_fields = ["decided_by", "decided_at"]
    autocomplete_fields = ["category"]
    can_delete = False
    max_num = 1

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An open answer may be decided by who decides reviews."""
        return bool(obj and obj.awaits_review) and may_decide(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A decision is not changed."""
        return False


@admin.register(Classification)
class ClassificationAdmin(AlarmsMixin, ReadOnlyMixin, LargeTableAdmin):
    """Answers; the doubtful ones can be accepted, corrected or rejected here."""

    list_display = ["id", "what", "answer", "confidence", "decision", "source", "created_at"]
    list_filter = [OpenReviewsFilter, "is_audit", "decision", "source"]
    inlines = [ReviewInline]
    list_select_related = ["category"]
    search_keys = ("job_id", "product__sku")
    search_help_text = "The SKU of a product, or the id of a job."
    actions = ["accept_answers", "reject_answers"]
    fields = [
        "what",
        "product",
        "category",
        "confidence",
        "certain_above",
        "source",
        "rule",
        "why",
        "why_not_the_next",
        "resembles",
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The answers that the user may see: those to texts that somebody else sent are not among them."""
        return super().get_queryset(request).visible_to(request.user)  # type: ignore[attr-defined]

    def get_ordering(self, request: HttpRequest) -> Any:
        """The least certain first in the queue of reviews, audits by lot among them; else the newest."""
        return ["review_priority", "id"] if OpenReviewsFilter.parameter_name in request.GET else ["-id"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field."""
        shown = ["what", "why", "why_not_the_next", "resembles", "certain_above", "ranking"]
        return [*super().get_readonly_fields(request, obj), *shown]

    @admin.display(description="product as it was")
    def what(self, answer: Classification) -> str:
        """The name that was classified, of which long words may be broken."""
        return LONG_WORD.sub(rf"\g<0>{ZERO_WIDTH_SPACE}", str(answer.input.get("name", "")))

    @admin.display(description="category")
    def answer(self, answer: Classification) -> str:
        """The path of the category."""
        return answer.category.path if answer.category else "-"

    @admin.display(description="candidates")
    def ranking(self, answer: Classification) -> str:
        """The categories that it may be, the most likely first."""
        ranked = _shown(answer)["candidates"]
        rows = ((candidate["category"]["path"], candidate["confidence"]) for candidate in ranked)
        return format_html_join("", "<div>{} ({})</div>", rows) or "-"

    @admin.display(description="because of")
    def why(self, answer: Classification) -> str:
        """The terms that spoke for the answer."""
        return _terms(_shown(answer)["explanation"])

    @admin.display(description="rather than the second because of")
    def why_not_the_next(self, answer: Classification) -> str:
        """The terms that spoke for the answer and against the second candidate."""
        return _terms(_shown(answer)["contrast"])

    @admin.display(description="certain at the level of")
    def certain_above(self, answer: Classification) -> str:
        """The category above the leaves that is certain, where the leaf is not."""
        back_off = _shown(answer)["back_off"]
        if back_off is None:
            return "-"
        return format_html("{} ({})", back_off["category"]["path"], back_off["confidence"])

    @admin.display(description="decided products that resemble it")
    def resembles(self, answer: Classification) -> str:
        """Products whose category was decided, with it."""
        rows = (
            (one["sku"], one["name"], one["category"]["path"], one["similarity"])
            for one in _shown(answer)["similar"]
        )
        return format_html_join("", "<div>{} {}: {} ({})</div>", rows) or "-"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the user may decide reviews."""
        return may_decide(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An answer itself is never changed; an open one is decided."""
        return bool(obj and obj.awaits_review) and may_decide(request)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of an answer, with a button to save while there is something to decide."""
        if self.has_change_permission(request, kwargs.get("obj")):
            return super(ReadOnlyMixin, self).render_change_form(request, context, *args, **kwargs)
        return super().render_change_form(request, context, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page of an answer; when the decision is refused, the page again with the reason."""
        return explained(
            self, request, lambda: super(ClassificationAdmin, self).changeform_view(request, *args, **kwargs)
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: the form has no field of the answer itself."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Take the decision."""
        for review in formset.save(commit=False):
            reviews.decide(
                form.instance,
                decision=review.decision,
                category_id=review.category_id,
                note=review.note,
                user_id=request.user.pk,
            )

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


def _shown(answer: Classification) -> dict[str, Any]:
    """An answer as the API shows it."""
    return results.represent_all([answer])[0]


def _terms(terms: list[dict[str, Any]]) -> str:
    return format_html_join(", ", "{} ({})", ((one["term"], one["weight"]) for one in terms)) or "-"


@admin.register(Review)
class ReviewAdmin(ReadOnlyMixin, LargeTableAdmin):
    """What people decided."""

    list_display = ["id", "classification_id", "decision", "category", "decided_by", "decided_at"]
    list_filter = ["decision"]
    list_select_related = ["category", "decided_by"]


suggesters["Ask the classifier"] = mapping_suggestions.suggest
