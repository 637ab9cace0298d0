"""`products.update`: the same change to many products."""

from collections.abc import Mapping
from typing import Any

from products.models import Product
from products.services.bulk import update_products
from workflows.steps.base import COUNT, PRODUCT_IDS, Done, StepKind, Task, inputs_schema, outputs_schema


class UpdateProducts(StepKind):
    """Changes products, all of them or none."""

    uses = "products.update"
    description = (
        "Sets fields of products, all in one transaction. The products are those of `products`, or else those of the "
        "nearest step before that gives `product_ids`; ids that are gone are passed over. `count` and `product_ids` "
        "tell the products that have the values of `set` afterwards, `changed` how many had others."
    )
    input_schema = inputs_schema(
        required=["set"],
        set={
            **inputs_schema(
                status={"enum": [status.value for status in Product.Status]},
                category_id={"type": ["integer", "null"], "minimum": 1, "maximum": 2**63 - 1},
                manufacturer={"type": "string", "maxLength": 200},
            ),
            "minProperties": 1,
        },
        products=PRODUCT_IDS,
    )
    output_schema = outputs_schema(product_ids=PRODUCT_IDS, count=COUNT, changed=COUNT)

    def run(self, inputs: Mapping[str, Any], task: Task) -> Done:
        """Change the products. Raises Problem for a category that does not exist."""
        ids = inputs["products"] if "products" in inputs else task.inherited_products()
        updated = update_products(ids, inputs["set"], pointer="/set")
        return Done({"product_ids": updated.ids, "count": len(updated.ids), "changed": updated.changed})
