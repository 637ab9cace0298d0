"""`products.select`: which products the next steps are about."""

from collections.abc import Mapping
from typing import Any

from workflows.steps.base import (
    COUNT,
    MAX_PRODUCTS,
    PRODUCT_IDS,
    Done,
    StepKind,
    Task,
    inputs_schema,
    outputs_schema,
)
from workflows.steps.filters import FILTER_SCHEMA, selected_products


class SelectProducts(StepKind):
    """Finds products by a filter."""

    uses = "products.select"
    description = (
        "Selects products with the filters of the list of products, in the order of their ids. Without `limit` it "
        f"takes the first {MAX_PRODUCTS:,}; `total` says how many the filter lets through."
    )
    input_schema = inputs_schema(
        required=["filter"],
        filter=FILTER_SCHEMA,
        limit={"type": "integer", "minimum": 1, "maximum": MAX_PRODUCTS, "default": MAX_PRODUCTS},
    )
    output_schema = outputs_schema(product_ids=PRODUCT_IDS, count=COUNT, total=COUNT)

    def run(self, inputs: Mapping[str, Any], task: Task) -> Done:
        """The ids of the products."""
        found = selected_products(inputs["filter"]).order_by("pk").values_list("pk", flat=True)
        limit = inputs.get("limit", MAX_PRODUCTS)
        ids = list(found[:limit])
        total = len(ids) if len(ids) < limit else found.count()
        return Done({"product_ids": ids, "count": len(ids), "total": total})
