"""Classifiers, their policies, and what is watched of them, for staff."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from classification import figures
from classification.admin.activating import ActivationMixin
from classification.admin.base import ReclassifyMixin
from classification.models import Activation, Alarm, Classifier, Difference, Policy, ShadowRun
from classification.services import activation, policies, shadow, training, watching
from nexus.api.admin import LargeTableAdmin, ReadOnlyMixin, do_with_each
from products.models import Category, Taxonomy


def tell_alarms(request: HttpRequest) -> None:
    """Put the alarms that are raised at the head of a page, for whoever may see them."""
    if not request.user.has_perm("classification.view_alarm"):
        return
    for alarm in watching.alarms():
        messages.warning(
            request, f"Alarm since {alarm['raised_at']:%d %B}: {alarm['taxonomy']}: {alarm['text']}."
        )


class AlarmsMixin:
    """Lists that show the alarms at their head."""

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The list."""
        if request.method == "GET":
            tell_alarms(request)
        return super().changelist_view(request, *args, **kwargs)  # type: ignore[misc]


@admin.register(Classifier)
class ClassifierAdmin(AlarmsMixin, ReclassifyMixin, ReadOnlyMixin, ActivationMixin):
    """Versions of classifiers; one of each taxonomy is active."""

    because = "classifier"
    list_display = ["id", "taxonomy", "version", "status", "training_size", "created_at", "activated_at"]
    stays_small = True
    list_filter = ["status"]
    list_select_related = ["taxonomy"]
    SHOWN = (
        "taxonomy",
        "version",
        "status",
        "training_size",
        "since",
        "overview",
        "levels",
        "coverage",
        "calibration",
        "weakest_categories",
        "confusions",
        "comparison",
        "shadow_run",
        "activations",
        "job",
        "error",
        "created_at",
        "activated_at",
    )
    actions = [
        "activate_classifier",
        "return_to_the_one_before",
        "run_beside_the_active_one",
        "train_again",
        "classify_again",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Classifiers without what is large."""
        return Classifier.objects.without_artefact()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field that is shown."""
        return list(self.SHOWN)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The figures first, then how it was made."""
        return list(self.SHOWN)

    @admin.display(description="decided by people since")
    def since(self, classifier: Classifier) -> SafeString | str:
        """Audits and doubtful answers that people have decided."""
        return figures.decided(watching.decided_about(classifier.pk))

    @admin.display(description="figures")
    def overview(self, classifier: Classifier) -> SafeString | str:
        """The small figures."""
        return figures.overview(classifier.metrics)

    @admin.display(description="by level")
    def levels(self, classifier: Classifier) -> SafeString | str:
        """Accuracy by level."""
        return figures.levels(classifier.report)

    @admin.display(description="coverage against precision")
    def coverage(self, classifier: Classifier) -> SafeString | str:
        """Certain answers under other promises."""
        return figures.coverage(classifier.report)

    @admin.display(description="calibration")
    def calibration(self, classifier: Classifier) -> SafeString | str:
        """Confidence against accuracy."""
        return figures.calibration(classifier.report)

    @admin.display(description="weakest categories")
    def weakest_categories(self, classifier: Classifier) -> SafeString | str:
        """The least recall first."""
        return figures.weakest_categories(classifier.report)

    @admin.display(description="confusions")
    def confusions(self, classifier: Classifier) -> SafeString | str:
        """The most frequent first."""
        return figures.confusions(classifier.report)

    @admin.display(description="beside the active one")
    def shadow_run(self, classifier: Classifier) -> SafeString | str:
        """The counts of the last run."""
        rows = ShadowRun.objects.filter(classifier=classifier).values_list(
            "against__version",
            "agree",
            "differ",
            "differ_both_certain",
            "certain_only_candidate",
            "certain_only_active",
        )[:1]
        head = (
            "active",
            "agree",
            "differ",
            "both certain and differ",
            "certain only here",
            "certain only there",
        )
        return figures.table(head, rows)

    @admin.display(description="activations")
    def activations(self, classifier: Classifier) -> SafeString | str:
        """When it became active, by whom and why."""
        rows = Activation.objects.filter(classifier=classifier).select_related("activated_by")
        shown = (
            (f"{row.activated_at:%Y-%m-%d %H:%M}", row.get_reason_display(), row.activated_by) for row in rows
        )
        return figures.table(("when (UTC)", "why", "by"), shown)

    @admin.action(description="Activate", permissions=["change"])
    def activate_classifier(self, request: HttpRequest, queryset: QuerySet[Classifier]) -> None:
        """Let the chosen classifier answer for its taxonomy."""
        activate = partial(activation.activate, user_id=request.user.pk)
        do_with_each(self, request, queryset, activate, "activated")

    @admin.action(description="Return to the classifier before this one", permissions=["change"])
    def return_to_the_one_before(self, request: HttpRequest, queryset: QuerySet[Classifier]) -> None:
        """Take the activation of the chosen classifier back."""
        step_back = partial(activation.step_back, user_id=request.user.pk)
        do_with_each(self, request, queryset, step_back, "taken back")

    @admin.action(description="Run beside the active one", permissions=["change"])
    def run_beside_the_active_one(self, request: HttpRequest, queryset: QuerySet[Classifier]) -> None:
        """Begin a shadow run of the chosen classifier."""
        start = partial(shadow.start, user_id=request.user.pk)
        do_with_each(self, request, queryset, start, "begun")

    @admin.action(description="Train a new version for the same taxonomy", permissions=["change"])
    def train_again(self, request: HttpRequest, queryset: QuerySet[Classifier]) -> None:
        """Begin the training of a new version for each taxonomy of the chosen classifiers."""
        taxonomies = Taxonomy.objects.filter(pk__in=queryset.values("taxonomy"))
        train = partial(training.train, user_id=request.user.pk)
        do_with_each(self, request, taxonomies, train, "in training")

    @admin.action(
        description="Classify again what the active classifier touches, and write accepted categories",
        permissions=["classify"],
    )
    def classify_again(self, request: HttpRequest, queryset: QuerySet[Classifier]) -> None:
        """Begin a classification of the products that the change to the chosen classifiers touches."""
        self.reclassify(request, queryset)


@admin.register(Policy)
class PolicyAdmin(LargeTableAdmin):
    """What is promised of classifiers, and when new ones are made and activated."""

    stays_small = True
    list_display = [
        "taxonomy",
        "promised_precision",
        "audit_share",
        "retrain_after_decisions",
        "retrain_cron",
        "activation",
    ]
    list_select_related = ["taxonomy"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A policy stays with its taxonomy."""
        return ["taxonomy"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write it through the service, which has the new share seen at once."""
        policies.change(obj, {})


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Products about which a classifier and the active one differ."""

    list_display = ["name", "before", "before_confidence", "after", "after_confidence", "run"]
    list_filter = ["is_other_category", "before_certain", "after_certain"]
    list_select_related = ["run"]
    search_keys = ("run__classifier_id",)
    search_help_text = "The id of a classifier."
    ordering = ["-run", "position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Differences with the paths of the categories that are still there."""
        return Difference.objects.annotate(
            before_path=_path("before_category_id"), after_path=_path("after_category_id")
        )

    @admin.display(description="the active one")
    def before(self, difference: Any) -> str:
        """The path of its answer."""
        return difference.before_path or figures.NOTHING

    @admin.display(description="the other one")
    def after(self, difference: Any) -> str:
        """The path of its answer."""
        return difference.after_path or figures.NOTHING


def _path(field: str) -> Subquery:
    return Subquery(Category.objects.filter(pk=OuterRef(field)).values("path")[:1])


@admin.register(Activation)
class ActivationAdmin(ReadOnlyMixin, LargeTableAdmin):
    """Which classifier became active, when, by whom and why."""

    list_display = ["id", "taxonomy", "classifier", "reason", "activated_by", "activated_at"]
    list_select_related = ["taxonomy", "classifier", "activated_by"]


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyMixin, LargeTableAdmin):
    """What got worse, and when it had gone."""

    list_display = ["id", "taxonomy", "kind", "raised_at", "ended_at"]
    stays_small = True
    list_filter = ["kind"]
    list_select_related = ["taxonomy"]
