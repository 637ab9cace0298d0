"""Indexes of a large table, made while it is being written to."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("classification", "0006_activations_and_priorities")]

    operations = [
        AddIndexConcurrently(
            model_name="classification",
            index=models.Index(
                condition=models.Q(("awaits_review", True)),
                fields=["review_priority", "id"],
                name="classification_review_queue",
            ),
        ),
        AddIndexConcurrently(
            model_name="classification",
            index=models.Index(
                condition=models.Q(("decision__in", ["accepted", "corrected", "rejected"])),
                fields=["classifier", "source", "is_audit", "decision"],
                name="classification_decided",
            ),
        ),
        AddIndexConcurrently(
            model_name="classification",
            index=BrinIndex(autosummarize=True, fields=["created_at"], name="classification_by_day"),
        ),
    ]
