"""How products are classified: classifiers, rules, their answers, and what people decided about them."""

import pghistory
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from classification.decisions import Precedent, Review  # noqa: F401 - models are found here
from classification.oversight import (  # noqa: F401 - models are found here
    Activation,
    Alarm,
    Difference,
    Policy,
    ShadowRun,
    Watch,
)
from classification.querysets import ClassificationQuerySet, ClassifierQuerySet, RuleQuerySet
from nexus.jobs.models import Job
from products.models import Category, Product, Taxonomy


class Classifier(models.Model):
    """A version of the trained engine for one taxonomy. At most one version a taxonomy is active."""

    class Status(models.TextChoices):
        TRAINING = "training"
        CANDIDATE = "candidate"
        ACTIVE = "active"
        RETIRED = "retired"
        FAILED = "failed"

    TRANSITIONS = {
        Status.TRAINING: {Status.CANDIDATE, Status.FAILED},
        Status.CANDIDATE: {Status.ACTIVE, Status.RETIRED},
        Status.ACTIVE: {Status.RETIRED},
        Status.RETIRED: {Status.ACTIVE},
        Status.FAILED: set(),
    }

    taxonomy = models.ForeignKey(
        Taxonomy, on_delete=models.CASCADE, related_name="classifiers", db_index=False
    )
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.TRAINING)
    # What it was made from, and what came out
    taxonomy_revision = models.PositiveBigIntegerField(help_text="Of the taxonomy when training began.")
    training_size = models.PositiveIntegerField(default=0, help_text="Labelled products it learned from.")
    artefact = models.BinaryField(null=True, editable=False)
    metrics = models.JSONField(default=dict, blank=True, help_text="Measured on products it had not seen.")
    report = models.JSONField(
        default=dict, blank=True, editable=False, help_text="The same by level, category and confidence."
    )
    comparison = models.JSONField(
        default=dict,
        blank=True,
        help_text="Beside the active one, on decisions that neither had learned from.",
    )
    fingerprint = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of everything it was made from."
    )
    job = models.OneToOneField(
        Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="trained_classifier"
    )
    error = models.TextField(blank=True)
    # Times
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    objects = ClassifierQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["taxonomy", "version"], name="classification_classifier_version_unique"
            ),
            models.UniqueConstraint(
                fields=["taxonomy"], condition=Q(status="active"), name="classification_classifier_one_active"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["candidate", "active", "retired"]) | Q(artefact__isnull=False),
                name="classification_classifier_usable_has_artefact",
            ),
        ]
        indexes = [
            models.Index(F("created_at").desc(), F("id").desc(), name="classification_classifier_new"),
        ]

    def __str__(self) -> str:
        return f"{self.taxonomy_id} v{self.version}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    exclude=[
        "hits",
        "hits_counted_at",
        "accepted",
        "corrected",
        "created_by",
        "created_at",
        "updated_at",
    ],
)
class Rule(models.Model):
    """What people know for certain: products on which all conditions hold belong to a category.

    `classification.engine.rules` says what conditions are. A trigger disables rules whose category is deleted.
    """

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="rules", db_index=False)
    name = models.CharField(max_length=200)
    conditions = models.JSONField(help_text="[{field, operator, value}], of which all must hold.")
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    position = models.PositiveSmallIntegerField(
        default=1, help_text="Of the rules that hold of a product, those with the smallest number decide."
    )
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=2000, blank=True, editable=False)
    # What became of it
    hits = models.PositiveBigIntegerField(
        null=True, editable=False, help_text="Products of the catalogue, when they were last counted."
    )
    hits_counted_at = models.DateTimeField(null=True, editable=False)
    accepted = models.PositiveIntegerField(default=0, editable=False, help_text="Its answers found right.")
    corrected = models.PositiveIntegerField(default=0, editable=False, help_text="Its answers found wrong.")
    # Who and when
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        db_index=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["taxonomy", "name"], name="classification_rule_name_unique"),
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(category__isnull=False),
                name="classification_rule_enabled_has_category",
                violation_error_message="A rule that is enabled has a category.",
            ),
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(disabled_reason=""),
                name="classification_rule_reason_while_disabled",
            ),
            models.CheckConstraint(
                condition=Q(hits=None, hits_counted_at=None)
                | Q(hits__isnull=False, hits_counted_at__isnull=False),
                name="classification_rule_hits_have_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["taxonomy", "position", "id"], name="classification_rule_in_order"),
            models.Index(fields=["position", "id"], name="classification_rule_all"),
            models.Index(fields=["category"], name="classification_rule_category"),
        ]

    def __str__(self) -> str:
        return self.name


class RuleConflict(models.Model):
    """Two rules that hold of the same products and name different categories, as last counted."""

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="+", db_index=False)
    first = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="+")
    products = models.PositiveBigIntegerField(help_text="On how many products both rules hold.")
    examples = models.JSONField(help_text="Ids of a few of these products.")
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ["-products", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"], name="classification_ruleconflict_once_a_pair"
            ),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="classification_ruleconflict_in_order"
            ),
        ]
        indexes = [
            models.Index(F("products").desc(), F("id").desc(), name="classification_conflict_most"),
            models.Index(fields=["taxonomy"], name="classification_conflict_taxon"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"


class AnswerSources(models.Model):
    """What a taxonomy has to answer from beside its classifier; written by triggers alone.

    The query that finds the classifier reads it along, so that a request looks nothing up where there is nothing.
    """

    taxonomy = models.OneToOneField(
        Taxonomy, primary_key=True, on_delete=models.CASCADE, related_name="answer_sources"
    )
    rules_revision = models.PositiveBigIntegerField(default=0, help_text="Counts the changes of its rules.")
    has_precedents = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "answer sources"

    def __str__(self) -> str:
        return f"{self.taxonomy_id} {self.rules_revision}"


class Classification(models.Model):
    """One answer, and the item it was asked about.

    The answer is never changed; `decision` moves on when a person decides (`Review` says who and why).
    """

    class Decision(models.TextChoices):
        AUTO_ACCEPTED = "auto_accepted", "accepted automatically"
        NEEDS_REVIEW = "needs_review", "needs review"
        ACCEPTED = "accepted"
        CORRECTED = "corrected"
        REJECTED = "rejected"
        FAILED = "failed"

    class Source(models.TextChoices):
        """What gave the answer; see "The life of an answer" in docs/architecture.md."""

        CLASSIFIER = "classifier"
        RULE = "rule"
        PRECEDENT = "precedent", "an earlier decision"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="classifications", db_index=False)
    position = models.PositiveIntegerField(help_text="Of the item in its job, from 0.")
    # What was asked
    product = models.ForeignKey(
        Product, null=True, on_delete=models.SET_NULL, related_name="classifications", db_index=False
    )
    input = models.JSONField(help_text="The text that was classified, as it was then.")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="+", db_index=False)
    classifier = models.ForeignKey(
        Classifier, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    # What was answered
    category = models.ForeignKey(
        Category, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    confidence = models.FloatField(default=0.0)
    candidates = models.JSONField(
        default=list, help_text="[{category_id, confidence}], the most likely first."
    )
    explanation = models.JSONField(
        default=list,
        null=True,
        help_text="[{term, weight}], the weightiest first; null until somebody asks for the reasons.",
    )
    contrast = models.JSONField(
        default=list,
        db_default=[],
        help_text="[{term, weight}] that spoke for the answer and against the runner-up.",
    )
    neighbours = models.JSONField(
        default=list,
        db_default=[],
        help_text="[{product_id, category_id, similarity}] of decided products, the most similar first.",
    )
    back_off = models.JSONField(
        null=True, help_text="{category_id, confidence, candidates}: what is certain where the leaf is not."
    )
    source = models.CharField(
        max_length=10,
        choices=Source.choices,
        default=Source.CLASSIFIER,
        db_default=Source.CLASSIFIER,
    )
    rule = models.ForeignKey(Rule, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    decision = models.CharField(max_length=13, choices=Decision.choices)
    error = models.CharField(max_length=500, blank=True)
    # A later answer for the same product takes the place of this one in the queue of reviews.
    awaits_review = models.BooleanField(default=False)
    is_audit = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Accepted automatically, and drawn for a person to look at.",
    )
    review_priority = models.FloatField(
        default=0.0,
        db_default=0.0,
        help_text="The least is reviewed first: the confidence, or a place by lot.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClassificationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="classification_result_once_a_position"),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="classification_confidence_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(awaits_review=False)
                | Q(decision="needs_review")
                | Q(decision="auto_accepted", is_audit=True),
                name="classification_awaits_review_undecided",
            ),
            models.CheckConstraint(
                condition=Q(is_audit=False) | ~Q(decision__in=["needs_review", "failed"]),
                name="classification_audits_were_accepted",
            ),
        ]
        indexes = [
            models.Index("product", F("id").desc(), name="classification_by_product"),
            models.Index(
                fields=["confidence", "id"],
                condition=Q(awaits_review=True),
                name="classification_open_reviews",
            ),
            models.Index(
                fields=["review_priority", "id"],
                condition=Q(awaits_review=True),
                name="classification_review_queue",
            ),
            models.Index(
                fields=["classifier", "source", "is_audit", "decision"],
                condition=Q(decision__in=["accepted", "corrected", "rejected"]),
                name="classification_decided",
            ),
            # Only ever asked for the last weeks of a table that grows at its end.
            BrinIndex(fields=["created_at"], autosummarize=True, name="classification_by_day"),
            models.Index("job", "decision", "position", name="classification_by_decision"),
            # Looked up when a category or a classifier is deleted.
            models.Index(fields=["category"], name="classification_by_category"),
            models.Index(fields=["classifier"], name="classification_by_classifier"),
            models.Index(fields=["rule"], condition=Q(rule__isnull=False), name="classification_by_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.position}"
