"""Reasons that are worked out when somebody asks for them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classification', '0007_indexes_of_reviews'),
    ]

    operations = [
        migrations.AlterField(
            model_name='classification',
            name='explanation',
            field=models.JSONField(default=list, help_text='[{term, weight}], the weightiest first; null until somebody asks for the reasons.', null=True),
        ),
    ]
