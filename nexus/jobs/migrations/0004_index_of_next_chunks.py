"""An index of a large table, made while it is being written to."""

from django.db import migrations, models

from nexus.api.migration_operations import AddIndexToLargeTable


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("nexus_jobs", "0003_preparation_and_log")]

    operations = [
        AddIndexToLargeTable(
            model_name="chunk",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "running"])),
                fields=["job", "position"],
                name="nexus_chunk_next",
            ),
        ),
    ]
