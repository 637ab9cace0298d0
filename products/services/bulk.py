"""Many products in one transaction and few statements."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from nexus.api.database import constraint_of, repeated_when_stopped
from nexus.api.errors import Conflict, Problem, invalid_request
from products.models import Category, Product
from products.services.products import SKU_UNIQUE, assign, held_categories

Fields = Mapping[str, Any]
UPDATED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class BulkResult:
    """Ids of the products created, in order, and how many were changed and deleted."""

    created: list[int]
    updated: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Updated:
    """Ids of the products that have the wanted values afterwards, in order, and how many had others before."""

    ids: list[int]
    changed: int


@dataclass(frozen=True, slots=True)
class Bulk:
    """What to do with many products: fields to create and to update (with `id`), and ids to delete."""

    create: Sequence[Fields] = ()
    update: Sequence[Fields] = ()
    delete: Sequence[int] = ()


@repeated_when_stopped
def apply_bulk(bulk: Bulk) -> BulkResult:
    """Delete, update, then create products: all of it, or nothing.

    Raises Problem naming every place in the request that is wrong: 400 for ids and categories that do not exist and
    for products named twice, 409 for SKUs that are taken.
    """
    _check_named_once(bulk)
    try:
        with transaction.atomic():
            return _apply(bulk)
    except IntegrityError as error:
        if constraint_of(error) == SKU_UNIQUE:
            raise _skus_taken(bulk) from None
        raise


def update_products(ids: Collection[int], changes: Fields, *, pointer: str = "") -> Updated:
    """Set the same fields on many products, all of them or none; ids that are gone are passed over.

    Raises Problem (400), with its place below `pointer`, for a category that does not exist.
    """
    found: list[int] = []
    changed = 0
    ordered = sorted(set(ids))
    with transaction.atomic():
        categories = held_categories([changes])
        for start in range(0, len(ordered), UPDATED_AT_ONCE):
            products = _locked(ordered[start : start + UPDATED_AT_ONCE])
            found += products
            changed += _set_alike(products.values(), changes, categories, pointer)
    return Updated(found, changed)


def _set_alike(
    products: Iterable[Product], changes: Fields, categories: Mapping[int, Category], pointer: str
) -> int:
    # Products that differ in the same fields get the same values, with one statement.
    alike: dict[tuple[str, ...], list[Product]] = defaultdict(list)
    for product in products:
        if differing := assign(product, changes, categories, pointer=pointer):
            alike[tuple(differing)].append(product)
    for names, group in alike.items():
        values = {name: getattr(group[0], name) for name in names}
        ids = [product.pk for product in group]
        Product.objects.filter(pk__in=ids).update(**values, updated_at=timezone.now())
    return sum(map(len, alike.values()))


def _apply(bulk: Bulk) -> BulkResult:
    categories = held_categories([*bulk.create, *bulk.update])
    products = _locked([*(fields["id"] for fields in bulk.update), *bulk.delete])
    _check_exist(bulk, products, categories)
    deleted = Product.objects.filter(pk__in=bulk.delete).delete()[0] if bulk.delete else 0
    updated = _update(
        [
            (
                products[fields["id"]],
                {name: value for name, value in fields.items() if name != "id"},
                f"/update/{i}",
            )
            for i, fields in enumerate(bulk.update)
        ],
        categories,
    )
    created = [Product() for _ in bulk.create]
    for product, fields in zip(created, bulk.create, strict=True):
        assign(product, fields, categories)
    # In the order of the SKUs: of two bulks that create the same ones, one waits for the other and is refused.
    Product.objects.bulk_create(sorted(created, key=lambda product: product.sku))
    return BulkResult([product.pk for product in created], updated, min(deleted, len(bulk.delete)))


def _locked(ids: Collection[int]) -> dict[int, Product]:
    """The products that exist, locked in the order of their ids, so that two bulks wait instead of stopping each
    other."""
    if not ids:
        return {}
    rows = Product.objects.select_for_update(of=("self",)).filter(pk__in=set(ids)).order_by("pk")
    return {product.pk: product for product in rows}


def _update(wanted: Sequence[tuple[Product, Fields, str]], categories: Mapping[int, Category]) -> int:
    changed: set[str] = set()
    touched = []
    moment = timezone.now()
    for product, fields, pointer in wanted:
        if names := assign(product, fields, categories, pointer=pointer):
            changed.update(names)
            product.updated_at = moment
            touched.append(product)
    if touched:
        Product.objects.bulk_update(touched, [*sorted(changed), "updated_at"])
    return len(touched)


def _check_named_once(bulk: Bulk) -> None:
    updated = [fields["id"] for fields in bulk.update]
    named = Counter([*updated, *bulk.delete])
    _refuse(
        [
            *_errors(
                "/update/{}/id", updated, lambda pk: named[pk] > 1, "duplicate", "Product {} is named twice."
            ),
            *_errors(
                "/delete/{}", bulk.delete, lambda pk: named[pk] > 1, "duplicate", "Product {} is named twice."
            ),
        ]
    )


def _check_exist(bulk: Bulk, products: Mapping[int, Product], categories: Mapping[int, Category]) -> None:
    def no_product(pk: Any) -> bool:
        return pk not in products

    def no_category(pk: Any) -> bool:
        return pk is not None and pk not in categories

    updated, product, category = (
        [fields["id"] for fields in bulk.update],
        "There is no product {}.",
        "There is no category {}.",
    )
    _refuse(
        [
            *_errors("/create/{}/category_id", _given(bulk.create), no_category, "does_not_exist", category),
            *_errors("/update/{}/id", updated, no_product, "does_not_exist", product),
            *_errors("/update/{}/category_id", _given(bulk.update), no_category, "does_not_exist", category),
            *_errors("/delete/{}", bulk.delete, no_product, "does_not_exist", product),
        ]
    )


def _given(rows: Sequence[Fields]) -> list[Any]:
    return [fields.get("category_id") for fields in rows]


def _errors(
    pointer: str, values: Sequence[Any], is_wrong: Callable[[Any], bool], code: str, detail: str
) -> list[dict[str, str]]:
    return [
        {"pointer": pointer.format(index), "code": code, "detail": detail.format(value)}
        for index, value in enumerate(values)
        if is_wrong(value)
    ]


def _refuse(errors: Sequence[Mapping[str, str]]) -> None:
    if errors:
        raise invalid_request(errors)


def _skus_taken(bulk: Bulk) -> Problem:
    """The conflict that names every SKU of a bulk that another product has, or that comes twice in it."""
    skus = [fields.get("sku") for fields in [*bulk.create, *bulk.update]]
    times = Counter(skus)
    gone = set(bulk.delete)
    owner = {
        sku: pk
        for pk, sku in Product.objects.filter(sku__in=set(skus) - {None}).values_list("pk", "sku")
        if pk not in gone
    }

    def taken(fields: Fields) -> bool:
        sku = fields.get("sku")
        return sku is not None and (times[sku] > 1 or owner.get(sku, fields.get("id")) != fields.get("id"))

    errors = [
        {
            "pointer": f"/{part}/{index}/sku",
            "code": "sku_taken",
            "detail": f"The SKU {fields['sku']!r} is taken.",
        }
        for part, rows in (("create", bulk.create), ("update", bulk.update))
        for index, fields in enumerate(rows)
        if taken(fields)
    ]
    return Conflict("sku_taken", "SKUs are taken by other products.", errors=errors)
