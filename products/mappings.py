"""Where the categories of one taxonomy have gone in another, and which products went along."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class CategoryMapping(models.Model):
    """One step: a category of one version of a taxonomy, and a category of the next, or of another taxonomy.

    Only steps that are decided carry anything over. Several of them for one source are a split, which no program can
    carry products along.
    """

    class Kind(models.TextChoices):
        """How the two categories differ; it follows from them and from the other steps, and is never given."""

        SAME = "same"
        RENAMED = "renamed"
        MOVED = "moved"
        MERGED = "merged", "merged with others"
        SPLIT = "split"
        REMOVED = "removed"

    class Basis(models.TextChoices):
        """What speaks for the step."""

        CODE = "code", "the same code"
        PATH = "path", "the same path"
        NAME = "name", "the same name"
        CLASSIFIER = "classifier", "the classifier's reading of the name"
        PERSON = "person", "decided by a person"

    # From where to where
    source_taxonomy = models.ForeignKey(
        "products.Taxonomy", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    target_taxonomy = models.ForeignKey("products.Taxonomy", on_delete=models.CASCADE, related_name="+")
    source = models.ForeignKey(
        "products.Category", on_delete=models.CASCADE, related_name="mappings", db_index=False
    )
    target = models.ForeignKey(
        "products.Category",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty when a person decided that nothing takes its place.",
    )
    # What speaks for it
    kind = models.CharField(max_length=7, choices=Kind.choices, editable=False)
    basis = models.CharField(max_length=10, choices=Basis.choices, editable=False)
    confidence = models.FloatField(
        null=True, editable=False, help_text="That the step is right, where the classifier says so."
    )
    is_decided = models.BooleanField(default=False, help_text="Products and rules are carried along it.")
    # Who and when
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        db_index=False,
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "target"], name="products_categorymapping_step_unique"),
            models.UniqueConstraint(
                fields=["source", "target_taxonomy"],
                condition=Q(target=None),
                name="products_categorymapping_one_removal",
            ),
            models.CheckConstraint(
                condition=~Q(source_taxonomy=F("target_taxonomy")),
                name="products_categorymapping_between_two_taxonomies",
            ),
            models.CheckConstraint(
                condition=Q(target=None, kind="removed") | Q(target__isnull=False) & ~Q(kind="removed"),
                name="products_categorymapping_removed_has_no_target",
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=0, confidence__lte=1),
                name="products_categorymapping_confidence_is_a_share",
            ),
            models.CheckConstraint(
                condition=~Q(basis="person") | Q(is_decided=True),
                name="products_categorymapping_persons_decide",
            ),
        ]
        indexes = [
            models.Index(fields=["source_taxonomy", "target_taxonomy", "id"], name="products_mapping_pair"),
            models.Index(
                fields=["source_taxonomy", "target_taxonomy", "id"],
                condition=Q(is_decided=False),
                name="products_mapping_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} to {self.target_id or 'nothing'}"


class CarriedProduct(models.Model):
    """That a job gave a product another category, so that it can be taken back; the history of the product tells more.

    Ids alone, since all that they name may be gone by the time.
    """

    job = models.ForeignKey("nexus_jobs.Job", on_delete=models.CASCADE, related_name="+", db_index=False)
    product = models.BigIntegerField()
    source = models.BigIntegerField(help_text="The category before.")
    target = models.BigIntegerField(help_text="The category after.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "product"], name="products_carriedproduct_once_a_job"),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.source} to {self.target}"
