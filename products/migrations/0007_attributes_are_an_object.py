"""From here on attributes are an object. Rows that are there already are looked at by the next migration."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.lookups import Exact


class Migration(migrations.Migration):
    dependencies = [("products", "0006_quicker_counts")]

    operations = [
        AddConstraintNotValid(
            "product",
            models.CheckConstraint(
                condition=Exact(
                    models.Func("attributes", function="jsonb_typeof", output_field=models.TextField()),
                    models.Value("object"),
                ),
                name="products_product_attributes_is_an_object",
            ),
        ),
    ]
