"""Everything that changes products one by one, or many in the same way. See `products.services.bulk` for the rest."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection, transaction

from nexus.api.database import meaning, refusal_of_one
from nexus.api.errors import Conflict, Problem, invalid
from nexus.api.saving import insert, update
from products.models import Category, Product

SKU_UNIQUE = "products_product_sku_unique"
CATEGORY_EXISTS = "products_product_category_id_9b594869_fk_products_category_id"
Source = Product.CategorySource


def create_product(fields: Mapping[str, Any]) -> Product:
    """Save a product. The category is given as `category_id`.

    Raises Conflict ``sku_taken``, and Problem (400) for a category that does not exist.
    """
    product = Product()
    assign(product, fields, held_categories([fields]))
    # Outside a transaction nothing holds the category until the product is there, and its foreign key speaks.
    missing = no_category(fields.get("category_id"))
    with meaning(CATEGORY_EXISTS, missing), refusal_of_one(SKU_UNIQUE, sku_taken(fields["sku"])):
        insert(product)
    return product


def update_product(product: Product, changes: Mapping[str, Any]) -> Product:
    """Save what differs from `changes`, and nothing when nothing does. Call it in a transaction, with the row locked.

    A category given as `category_id` that differs is from then on one that a user chose. Raises as
    `create_product` does.
    """
    # A category that stays is held already, by the product.
    named = [] if changes.get("category_id") == product.category_id else [changes]
    if changed := assign(product, changes, held_categories(named)):
        with meaning(SKU_UNIQUE, sku_taken(product.sku)):
            update(product, (*changed, "updated_at"))
    return product


def delete_product(product: Product) -> None:
    """Delete a product; its history stays."""
    product.delete()


def held_categories(fields: Collection[Mapping[str, Any]]) -> dict[int, Category]:
    """The categories that some products name, kept from deletion until the transaction ends."""
    ids = {one["category_id"] for one in fields if one.get("category_id") is not None}
    return Category.objects.held(ids) if ids else {}


def assign(
    product: Product,
    fields: Mapping[str, Any],
    categories: Mapping[int, Category],
    *,
    source: str = Source.MANUAL,
    pointer: str = "",
) -> list[str]:
    """Set fields on an unsaved product, and name the ones that differ from before.

    Raises Problem (400), with its place below `pointer`, for a category that is not among `categories`.
    """
    changed = []
    for name, value in fields.items():
        if name == "attributes":
            value = as_stored(value)
        if is_same(getattr(product, name), value):
            continue
        if name == "category_id":
            _assign_category(product, value, categories, source, pointer)
            changed += ["category", "category_source"]
        else:
            setattr(product, name, value)
            changed.append(name)
    return changed


def as_stored(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as PostgreSQL gives them back: ``jsonb`` orders names by their length in bytes, then by the bytes,
    and knows no negative zero.

    What a write answers is then, to the byte, what the next read answers, and has the same entity tag.
    """
    names = sorted(attributes, key=lambda name: (len(name.encode()), name.encode()))
    return {name: _without_sign_of_zero(attributes[name]) for name in names}


def is_same(before: object, after: object) -> bool:
    """Whether two values of a field are the same in JSON, where true is not 1."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(is_same(before[name], after[name]) for name in before)
    numbers = isinstance(before, (int, float)) and isinstance(after, (int, float))
    return before == after and (type(before) is type(after) or not numbers)


def set_automatic_categories(chosen: Mapping[int, int]) -> int:
    """Set the categories that a classifier chose (category id by product id); say how many products that changed.

    What a person or a supplier chose is never overwritten. Products and categories that no longer exist are passed
    over.
    """
    if not chosen:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        categories = Category.objects.held(set(chosen.values()))
        kept = {product: category for product, category in chosen.items() if category in categories}
        cursor.execute(_SET_AUTOMATIC_CATEGORIES, [list(kept), list(kept.values())])
        return cursor.rowcount


def set_reviewed_category(product: Product, category: Category) -> None:
    """Set the category that a reviewer decided on. Call it with the row of the product locked."""
    product.category, product.category_source = category, Source.REVIEWED
    product.save(update_fields=["category", "category_source", "updated_at"])


def take_back_automatic_category(product: Product, category_id: int) -> None:
    """Leave a product without a category that a classifier chose and a reviewer rejected; others are left alone.

    Call it with the row of the product locked.
    """
    if product.category_id != category_id or product.category_source != Source.AUTOMATIC:
        return
    product.category = product.category_source = None
    product.save(update_fields=["category", "category_source", "updated_at"])


# The rows are locked in the order of their ids, so that two batches over the same products wait instead of
# stopping each other.
_SET_AUTOMATIC_CATEGORIES = """
WITH chosen AS (
    SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS pair (product_id, category_id)
), open AS (
    SELECT id FROM products_product
    WHERE id IN (SELECT product_id FROM chosen) AND (category_source IS NULL OR category_source = 'automatic')
    ORDER BY id FOR UPDATE
)
UPDATE products_product AS product
SET category_id = chosen.category_id, category_source = 'automatic', updated_at = clock_timestamp()
FROM chosen JOIN open ON open.id = chosen.product_id
WHERE product.id = open.id AND product.category_id IS DISTINCT FROM chosen.category_id
"""


def _without_sign_of_zero(value: Any) -> Any:
    return 0.0 if isinstance(value, float) and value == 0 else value


def sku_taken(sku: str) -> Conflict:
    """The refusal of a SKU that another product has."""
    detail = f"Another product has the SKU {sku!r}."
    return Conflict("sku_taken", detail, errors=[{"pointer": "/sku", "code": "sku_taken", "detail": detail}])


def no_category(pk: int | None, pointer: str = "") -> Problem:
    """The refusal of a category that does not exist, with its place below `pointer`."""
    return invalid(f"{pointer}/category_id", "does_not_exist", f"There is no category {pk}.")


def _assign_category(
    product: Product, pk: int | None, categories: Mapping[int, Category], source: str, pointer: str
) -> None:
    if pk is not None and pk not in categories:
        raise no_category(pk, pointer)
    product.category = None if pk is None else categories[pk]
    product.category_source = None if pk is None else source
