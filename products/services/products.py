"""Everything that changes products one by one, or many in the same way. See `products.services.bulk` for the rest."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from nexus.api.copying import json_text
from nexus.api.database import constraint_of, repeated_when_stopped
from nexus.api.errors import Conflict, Problem, invalid
from nexus.api.prepared import Written
from products.models import Category, Product

SKU_UNIQUE = "products_product_sku_unique"
CATEGORY_EXISTS = "products_product_category_id_9b594869_fk_products_category_id"
# What a product consists of, and what those fields are that are not given.
FIELDS = (
    "sku",
    "name",
    "description",
    "manufacturer",
    "part_number",
    "gtin",
    "attributes",
    "status",
    "category_id",
)
_ABSENT: dict[str, Any] = dict.fromkeys(FIELDS, "") | {
    "attributes": {},
    "status": Product.Status.DRAFT.value,
    "category_id": None,
}
Source = Product.CategorySource
Row = TypeVar("Row")
# A product with the names of its category.
AS_READ: QuerySet[Product] = Product.objects.select_related("category__taxonomy").order_by()


def create_product(fields: Mapping[str, Any]) -> Product:
    """Save a product; fields that are not given are empty, and it is a draft. The category is given as `category_id`.

    Raises Conflict ``sku_taken``, and Problem (400) for a category that does not exist.
    """
    return create_and_read(fields, AS_READ)


def create_and_read(fields: Mapping[str, Any], queryset: QuerySet[Product, Row]) -> Row:
    """As `create_product`, with the product as a queryset reads it."""
    (row,) = _written(_creation(queryset), _values(fields))
    return cast(Row, row)


@repeated_when_stopped
def replace_product(pk: int, fields: Mapping[str, Any], queryset: QuerySet[Product, Row]) -> Row | None:
    """Save all fields of a product, whatever they were, and read it as a queryset does.

    It is one statement that needs nothing read before, so nobody can come in between. None when there is no such
    product, or when nothing differs. A category that differs is from then on one that a user chose. Raises as
    `create_product` does.
    """
    return next(iter(_written(_replacement(queryset), _values(fields) | {"id": pk})), None)


def update_product(product: Product, changes: Mapping[str, Any]) -> Product:
    """Save what differs from `changes`, and nothing when nothing does. Call it in a transaction, with the row locked.

    A category given as `category_id` that differs is from then on one that a user chose. Raises as
    `create_product` does.
    """
    before = {name: getattr(product, name) for name in FIELDS}
    after = {**before, **changes}
    if is_same(before, after):
        return product
    # A category that stays is held already, by the product.
    if after["category_id"] != product.category_id:
        _hold_category(after["category_id"])
    values = _values(after) | {"id": product.pk}
    try:
        return next(iter(_replacement(AS_READ).write(values)), product)
    except IntegrityError as error:
        raise _refusal(error, values) from error.__cause__


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
        if is_same(getattr(product, name), value):
            continue
        if name == "category_id":
            _assign_category(product, value, categories, source, pointer)
            changed += ["category", "category_source"]
        else:
            setattr(product, name, value)
            changed.append(name)
    return changed


def is_same(before: object, after: object) -> bool:
    """Whether two values of a field are the same in JSON, as PostgreSQL compares them: 1.0 is 1, and true is not."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(is_same(before[name], after[name]) for name in before)
    return before == after and isinstance(before, bool) == isinstance(after, bool)


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

_CREATE = """
INSERT INTO products_product (
    sku, name, description, manufacturer, part_number, gtin, attributes, status, category_id, category_source,
    created_at, updated_at
) VALUES (
    %(sku)s, %(name)s, %(description)s, %(manufacturer)s, %(part_number)s, %(gtin)s, %(attributes)s, %(status)s,
    %(category_id)s, %(category_source)s, statement_timestamp(), statement_timestamp()
)
"""

_REPLACE = """
UPDATE products_product SET
    sku = %(sku)s, name = %(name)s, description = %(description)s, manufacturer = %(manufacturer)s,
    part_number = %(part_number)s, gtin = %(gtin)s, attributes = %(attributes)s, status = %(status)s,
    category_id = %(category_id)s,
    category_source = CASE
        WHEN category_id IS NOT DISTINCT FROM %(category_id)s THEN category_source ELSE %(category_source)s
    END,
    updated_at = clock_timestamp()
WHERE id = %(id)s AND (
    sku, name, description, manufacturer, part_number, gtin, attributes, status, category_id
) IS DISTINCT FROM (
    %(sku)s, %(name)s, %(description)s, %(manufacturer)s, %(part_number)s, %(gtin)s, %(attributes)s, %(status)s,
    %(category_id)s
)
"""


@cache
def _creation(queryset: QuerySet[Product, Any]) -> Written:
    return Written(_CREATE, [*FIELDS, "category_source"], queryset)


@cache
def _replacement(queryset: QuerySet[Product, Any]) -> Written:
    return Written(_REPLACE, [*FIELDS, "category_source", "id"], queryset)


def _values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the statements above take but for the id; a category that differs is one that a user chose."""
    values = {**_ABSENT, **fields}
    values["attributes"] = json_text(values["attributes"])
    values["category_source"] = None if values["category_id"] is None else Source.MANUAL.value
    return values


def _written(statement: Written, values: Mapping[str, Any]) -> list[Any]:
    """What a statement that stands for itself reads of the product that it writes. Raises as `create_product` does."""
    try:
        if not connection.in_atomic_block:
            return statement.write(values)
        # A transaction would ask the foreign key when it ends; a statement alone asks when that ends.
        _hold_category(values["category_id"])
        with transaction.atomic():
            return statement.write(values)
    except IntegrityError as error:
        raise _refusal(error, values) from error.__cause__


def _refusal(error: IntegrityError, values: Mapping[str, Any]) -> Exception:
    """What it means that the database refuses a product; the error itself where that has no words."""
    constraint = constraint_of(error)
    if constraint == SKU_UNIQUE:
        return sku_taken(values["sku"])
    if constraint == CATEGORY_EXISTS:
        return no_category(values["category_id"])
    return error


def _hold_category(pk: int | None) -> None:
    """Keep a category from deletion until the transaction ends. Raises Problem (400) when there is none."""
    if pk is not None and not Category.objects.held([pk]):
        raise no_category(pk)


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
