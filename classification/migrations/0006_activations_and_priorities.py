"""What can be told of the time before: which classifiers became active, and the order of the open reviews."""

from django.db import migrations

ACTIVATIONS = """
INSERT INTO classification_activation (taxonomy_id, classifier_id, reason, activated_by_id, activated_at)
SELECT taxonomy_id, id, CASE WHEN job_id IS NULL THEN 'first' ELSE 'person' END, NULL, activated_at
FROM classification_classifier WHERE activated_at IS NOT NULL ORDER BY activated_at, id
"""
PRIORITIES = "UPDATE classification_classification SET review_priority = confidence WHERE awaits_review"

# The rule that is restored when this is taken back knows no audits.
NO_AUDITS = "UPDATE classification_classification SET awaits_review = false WHERE is_audit AND awaits_review"


class Migration(migrations.Migration):

    dependencies = [("classification", "0005_learning_and_watching")]

    operations = [
        migrations.RunSQL(ACTIVATIONS, migrations.RunSQL.noop),
        migrations.RunSQL(PRIORITIES, NO_AUDITS),
    ]
