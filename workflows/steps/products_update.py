"""`products.update`: the same change to many products."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone

from products.models import Product
from products.services.products import assign, held_categories
from workflows.steps.base import COUNT, PRODUCT_IDS, Done, StepKind, Task, inputs_schema, outputs_schema

BATCH = 1000


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
        updated: list[int] = []
        changed = 0
        for batch in _batches(sorted(set(ids))):
            products = Product.objects.filter(pk__in=batch).order_by("pk").select_for_update(of=("self",))
            updated += [product.pk for product in products]
            changed += _update(list(products), inputs["set"])
        return Done({"product_ids": updated, "count": len(updated), "changed": changed})


def _batches(ids: list[int]) -> Iterator[list[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _update(products: list[Product], fields: Mapping[str, Any]) -> int:
    """Save those of the locked products that differ, and say how many."""
    categories = held_categories([fields])
    # Products that differ in the same fields get the same values, with one statement.
    alike: dict[tuple[str, ...], list[Product]] = defaultdict(list)
    for product in products:
        if differing := assign(product, fields, categories, pointer="/set"):
            alike[tuple(differing)].append(product)
    for names, group in alike.items():
        values = {name: getattr(group[0], name) for name in names}
        ids = [product.pk for product in group]
        Product.objects.filter(pk__in=ids).update(**values, updated_at=timezone.now())
    return sum(map(len, alike.values()))
