"""The filters of the list of products, as steps take them."""

from collections.abc import Mapping
from typing import Any

from classification.services.classify import filtered_products
from products.filters import ProductFilterSet
from products.querysets import ProductQuerySet
from workflows.engine.step_kinds import JsonSchema

FILTER_SCHEMA: JsonSchema = {
    "type": "object",
    "description": "As the list of products takes them; an empty one lets all through.",
    "additionalProperties": False,
    "properties": {
        name: {"type": ["string", "number", "boolean"]} for name in sorted(ProductFilterSet.base_filters)
    },
    "examples": [{"category__isnull": True, "status": "draft"}],
}


def selected_products(values: Mapping[str, Any]) -> ProductQuerySet:
    """The products that a filter lets through. Raises Problem naming the wrong place."""
    found: ProductQuerySet = filtered_products(values)
    return found
