"""What imports keep: how the files of suppliers are read, and what came of the rows of a file."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from nexus.jobs.models import Job


class ImportProfile(models.Model):
    """How the files of one supplier are read: kept from one file to the next."""

    name = models.CharField(max_length=100, help_text="Such as the supplier.")
    mapping = models.JSONField(
        help_text="From the names of columns to fields of products, or to attributes.<name>."
    )
    delimiter = models.CharField(max_length=1, blank=True, help_text="Of CSV; guessed when empty.")
    encoding = models.CharField(max_length=20, blank=True, help_text="Of CSV; guessed when empty.")
    header = models.BooleanField(null=True, help_text="Whether the first row names the columns.")
    taxonomy = models.CharField(
        max_length=101, blank=True, help_text="Of categories whose taxonomy the file does not name."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="products_importprofile_name_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="products_importprofile_name_given"),
        ]

    def __str__(self) -> str:
        return self.name


class ImportKey(models.Model):
    """The SKU of a row of a file, and the first row that has it; there while the job is prepared."""

    pk = models.CompositePrimaryKey("job", "sku")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+", db_index=False)
    sku = models.CharField(max_length=64, db_collation="C")
    row = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.row} {self.sku}"


class ImportedChunk(models.Model):
    """What an import did with a chunk of rows, written in the transaction that did it: it is never done twice."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveIntegerField(help_text="Of the chunk in its job.")
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0, help_text="Of which a row may have several.")
    # Rows that failed, and that somebody has asked to try again.
    pending = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="products_importedchunk_unique")
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.position}"


class ImportFault(models.Model):
    """Something in a row of a file that is wrong."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+", db_index=False)
    row = models.PositiveBigIntegerField(
        help_text="As spreadsheets and editors count, from 1 with the header."
    )
    column = models.CharField(max_length=200, blank=True, help_text="Empty when it is the row as a whole.")
    value = models.CharField(max_length=200, blank=True, help_text="The beginning of the cell.")
    code = models.CharField(max_length=50)
    detail = models.TextField()

    class Meta:
        ordering = ["row", "id"]
        indexes = [models.Index(fields=["job", "row", "id"], name="products_importfault_by_row")]

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.detail}"


class ImportChange(models.Model):
    """What an import would do with a row, found out by a dry run."""

    class Action(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+", db_index=False)
    row = models.PositiveBigIntegerField()
    sku = models.CharField(max_length=64)
    action = models.CharField(max_length=6, choices=Action.choices)
    changes = models.JSONField(help_text="By name of field: what it is before and after.")

    class Meta:
        ordering = ["row", "id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "row"], name="products_importchange_row_unique"),
            models.CheckConstraint(
                condition=Q(action__in=["create", "update"]), name="products_importchange_action_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row} {self.action} {self.sku}"
