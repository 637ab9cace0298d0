"""Indexes of a large table, made while it is being written to."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models

from nexus.api.migration_operations import AddIndexToLargeTable


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("classification", "0006_activations_and_priorities")]

    operations = [
        AddIndexToLargeTable(
            model_name="classification",
            index=models.Index(
                condition=models.Q(("awaits_review", True)),
                fields=["review_priority", "id"],
                name="classification_review_queue",
            ),
        ),
        AddIndexToLargeTable(
            model_name="classification",
            index=models.Index(
                condition=models.Q(("decision__in", ["accepted", "corrected", "rejected"])),
                fields=["classifier", "source", "is_audit", "decision"],
                name="classification_decided",
            ),
        ),
        AddIndexToLargeTable(
            model_name="classification",
            index=BrinIndex(autosummarize=True, fields=["created_at"], name="classification_by_day"),
        ),
    ]
