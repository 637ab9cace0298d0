"""How the classifiers of a taxonomy are made, exchanged and watched: rules, and what became of them."""

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

# With a sixth, the reader of schedules takes the first for seconds.
CRON_FIELDS = 5
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def validate_cron(cron: str) -> None:
    """Raises ValidationError for what is no schedule of five fields, or one that never comes."""
    if len(cron.split()) != CRON_FIELDS:
        message = "A cron schedule has five fields: minute, hour, day of month, month, day of week."
        raise ValidationError(message, "cron")
    try:
        next(CronSim(cron, _ANY_DAY))
    except (CronSimError, StopIteration) as error:
        raise ValidationError(f"This is no cron schedule: {error or 'it never comes'}.", "cron") from None


class Policy(models.Model):
    """What is promised of the classifiers of a taxonomy, and when a new one is made and activated."""

    class Activation(models.TextChoices):
        MANUAL = "manual", "by a person"
        WHEN_NOT_WORSE = "when_not_worse", "when it is not worse than the active one"

    taxonomy = models.OneToOneField("products.Taxonomy", on_delete=models.CASCADE, related_name="policy")
    promised_precision = models.FloatField(
        default=0.95,
        validators=[MinValueValidator(0.5), MaxValueValidator(0.999)],
        help_text="Share of automatically accepted answers that must be right; holds from the next training on.",
    )
    audit_share = models.FloatField(
        default=0.01,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Share of automatically accepted answers that a person looks at as well, chosen at random.",
    )
    retrain_after_decisions = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=200,
        validators=[MinValueValidator(1)],
        help_text="Train after so many decisions of reviewers; null for never.",
    )
    retrain_cron = models.CharField(
        max_length=100,
        blank=True,
        default="0 3 * * *",
        validators=[validate_cron],
        help_text="Train at these times (UTC), if anything has changed; empty for never.",
    )
    activation = models.CharField(
        max_length=14,
        choices=Activation.choices,
        default=Activation.MANUAL,
        help_text="How a newly trained classifier becomes the active one.",
    )
    retraining_considered_at = models.DateTimeField(auto_now_add=True, editable=False)

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(promised_precision__gte=0.5, promised_precision__lte=0.999),
                name="classification_policy_promise_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(audit_share__gte=0, audit_share__lte=1),
                name="classification_policy_audits_are_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taxonomy_id} {self.promised_precision}"


class Activation(models.Model):
    """A classifier became the active one of its taxonomy: when, by whom, and why."""

    class Reason(models.TextChoices):
        FIRST = "first", "made of the taxonomy alone"
        PERSON = "person", "activated by a person"
        RULE = "rule", "not worse than the one before"
        RETURN = "return", "returned to"
        REPAIR = "repair", "in place of one that could not be read"

    taxonomy = models.ForeignKey(
        "products.Taxonomy", on_delete=models.CASCADE, related_name="activations", db_index=False
    )
    classifier = models.ForeignKey(
        "classification.Classifier", on_delete=models.CASCADE, related_name="activations"
    )
    reason = models.CharField(max_length=6, choices=Reason.choices)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    activated_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index("taxonomy", F("id").desc(), name="classification_activations")]

    def __str__(self) -> str:
        return f"{self.classifier_id} {self.reason}"


class ShadowRun(models.Model):
    """A classifier beside the active one over products, and how often they agreed."""

    job = models.OneToOneField("nexus_jobs.Job", on_delete=models.CASCADE, related_name="shadow_run")
    classifier = models.ForeignKey(
        "classification.Classifier", on_delete=models.CASCADE, related_name="shadow_runs", db_index=False
    )
    against = models.ForeignKey(
        "classification.Classifier",
        on_delete=models.CASCADE,
        related_name="+",
        help_text="The one that was active.",
    )
    # Set when the job ends.
    agree = models.PositiveIntegerField(null=True)
    differ = models.PositiveIntegerField(null=True)
    differ_both_certain = models.PositiveIntegerField(null=True)
    certain_only_candidate = models.PositiveIntegerField(null=True)
    certain_only_active = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index("classifier", F("id").desc(), name="classification_shadow_runs")]

    def __str__(self) -> str:
        return f"{self.classifier_id} beside {self.against_id}"


class Difference(models.Model):
    """A product about which two classifiers differ: in the category, or in which of them is certain.

    It is what was found then. Products and categories are kept as numbers: deleting them is to cost nothing here.
    """

    run = models.ForeignKey(ShadowRun, on_delete=models.CASCADE, related_name="differences", db_index=False)
    position = models.PositiveIntegerField(help_text="Of the product in the run, from 0.")
    product_id = models.BigIntegerField()
    name = models.CharField(max_length=500)
    is_other_category = models.BooleanField()
    before_category_id = models.BigIntegerField(null=True)
    before_confidence = models.FloatField()
    before_certain = models.BooleanField()
    after_category_id = models.BigIntegerField(null=True)
    after_confidence = models.FloatField()
    after_certain = models.BooleanField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "position"], name="classification_difference_once_a_position"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.position}"


class Watch(models.Model):
    """What was counted of the answers of a taxonomy when it was last looked at."""

    taxonomy = models.OneToOneField("products.Taxonomy", on_delete=models.CASCADE, related_name="watch")
    counted_at = models.DateTimeField()
    week = models.JSONField(help_text="{answers, abstained, decided, wrong} of the last 7 days.")
    before = models.JSONField(help_text="The same of the 28 days before these.")

    class Meta:
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return f"{self.taxonomy_id} {self.counted_at}"


class Alarm(models.Model):
    """Something got worse in a taxonomy, and has stayed so until `ended_at`."""

    class Kind(models.TextChoices):
        CORRECTIONS = "corrections", "reviewers correct more answers than before"
        ABSTENTIONS = "abstentions", "more answers are left to reviewers than before"
        PROMISE = "promise", "more of the accepted answers are wrong than was promised"

    taxonomy = models.ForeignKey(
        "products.Taxonomy", on_delete=models.CASCADE, related_name="alarms", db_index=False
    )
    kind = models.CharField(max_length=11, choices=Kind.choices)
    figures = models.JSONField(help_text="The shares that raised it.")
    raised_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["taxonomy", "kind"],
                condition=Q(ended_at=None),
                name="classification_alarm_raised_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taxonomy_id} {self.kind}"
