"""Attributes that are null or an empty list or text become an empty object; the lock lets others read and write."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

MEND = "UPDATE products_product SET attributes = '{}' WHERE jsonb_typeof(attributes) <> 'object'"


class Migration(migrations.Migration):
    dependencies = [("products", "0007_attributes_are_an_object")]

    operations = [
        migrations.RunSQL(MEND, migrations.RunSQL.noop),
        ValidateConstraint("product", "products_product_attributes_is_an_object"),
    ]
