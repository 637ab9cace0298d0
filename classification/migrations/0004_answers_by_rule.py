"""The answers of a rule, found when it is deleted; the index is built without locking the table."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("classification", "0003_rules_by_the_database")]

    operations = [
        AddIndexConcurrently(
            model_name="classification",
            index=models.Index(
                condition=models.Q(("rule__isnull", False)), fields=["rule"], name="classification_by_rule"
            ),
        ),
    ]
