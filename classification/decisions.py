"""What people decided about answers, and what follows from it for the answers to come."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from products.models import Category, Taxonomy


class Review(models.Model):
    """What a person decided about an answer. There is at most one, whoever asks at the same moment."""

    class Decision(models.TextChoices):
        ACCEPT = "accept"
        CORRECT = "correct"
        REJECT = "reject"

    classification = models.OneToOneField(
        "classification.Classification", on_delete=models.CASCADE, related_name="review"
    )
    decision = models.CharField(max_length=7, choices=Decision.choices)
    category = models.ForeignKey(
        Category,
        null=True,
        blank=True,
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


class Precedent(models.Model):
    """Whether a category is right for a text, as a reviewer decided last. It counts from the next answer on.

    For one text at most one category is right; any number may have been found wrong.
    """

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="+", db_index=False)
    exact = models.UUIDField(help_text="A digest of all that was classified.")
    # A name of sizes and colours alone is near to nothing.
    near = models.UUIDField(
        null=True, help_text="A digest of the manufacturer, and the name without sizes, colours and order."
    )
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+", db_index=False)
    is_right = models.BooleanField()
    agreed = models.PositiveIntegerField(default=1, help_text="How many decisions in a row said so.")
    review = models.ForeignKey(Review, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["taxonomy", "exact", "category"], name="classification_precedent_once"
            ),
            models.UniqueConstraint(
                fields=["taxonomy", "exact"],
                condition=Q(is_right=True),
                name="classification_precedent_one_right",
            ),
        ]
        indexes = [
            models.Index(
                fields=["taxonomy", "near"],
                include=["category", "agreed"],
                condition=Q(is_right=True, near__isnull=False),
                name="classification_precedent_near",
            ),
            # Looked up when one of them is deleted.
            models.Index(fields=["category"], name="classification_precedent_cat"),
            models.Index(fields=["review"], name="classification_precedent_rev"),
        ]

    def __str__(self) -> str:
        return f"{self.exact} {self.category_id}"
