"""The answers of a rule, found when it is deleted; the index is built without locking the table."""

from django.db import migrations, models

from nexus.api.migration_operations import AddIndexToLargeTable


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("classification", "0003_rules_by_the_database")]

    operations = [
        AddIndexToLargeTable(
            model_name="classification",
            index=models.Index(
                condition=models.Q(("rule__isnull", False)), fields=["rule"], name="classification_by_rule"
            ),
        ),
    ]
