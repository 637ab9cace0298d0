"""How products are classified: classifiers, their answers, and what people decided about them."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from classification.oversight import (  # noqa: F401 - models are found here
    Activation,
    Alarm,
    Difference,
    Policy,
    ShadowRun,
    Watch,
)
from classification.querysets import ClassificationQuerySet, ClassifierQuerySet
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


class Classification(models.Model):
    """One answer of a classifier, and the item it was asked about.

    The answer is never changed; `decision` moves on when a person decides (`Review` says who and why).
    """

    class Decision(models.TextChoices):
        AUTO_ACCEPTED = "auto_accepted", "accepted automatically"
        NEEDS_REVIEW = "needs_review", "needs review"
        ACCEPTED = "accepted"
        CORRECTED = "corrected"
        REJECTED = "rejected"
        FAILED = "failed"

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
    explanation = models.JSONField(default=list, help_text="[{term, weight}], the weightiest first.")
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
                fields=["classifier", "is_audit", "decision"],
                condition=Q(decision__in=["accepted", "corrected", "rejected"]),
                name="classification_decided",
            ),
            # Only ever asked for the last weeks of a table that grows at its end.
            BrinIndex(fields=["created_at"], autosummarize=True, name="classification_by_day"),
            models.Index("job", "decision", "position", name="classification_by_decision"),
            # Looked up when a category or a classifier is deleted.
            models.Index(fields=["category"], name="classification_by_category"),
            models.Index(fields=["classifier"], name="classification_by_classifier"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.position}"


class Review(models.Model):
    """What a person decided about an answer. There is at most one, whoever asks at the same moment."""

    class Decision(models.TextChoices):
        ACCEPT = "accept"
        CORRECT = "correct"
        REJECT = "reject"

    classification = models.OneToOneField(Classification, on_delete=models.CASCADE, related_name="review")
    decision = models.CharField(max_length=7, choices=Decision.choices)
    category = models.ForeignKey(
        Category,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The right one, when the answer was accepted or corrected.",
    )
    note = models.TextField(blank=True, max_length=2000)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reviews", db_index=False
    )
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-decided_at", "-id"]
        indexes = [
            models.Index(F("decided_at").desc(), F("id").desc(), name="classification_review_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.classification_id} {self.decision}"
