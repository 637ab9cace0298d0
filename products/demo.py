"""The taxonomy and the products that Nexus brings along; `manage.py seed` loads them."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from products.models import Product, Taxonomy
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow

DATA = Path(__file__).resolve().parent / "data"
TAXONOMY = "nexus-hardware"
VERSION = "1"


def load_demo_taxonomy() -> Taxonomy:
    """Load the built-in taxonomy; a second time changes nothing."""
    rows = [
        CategoryRow(
            code=row["code"],
            parent=row["parent"],
            name=row["name"],
            keywords=[keyword for keyword in row["keywords"].split("|") if keyword],
        )
        for row in _rows("nexus-hardware.csv")
    ]
    return load_taxonomy(TAXONOMY, VERSION, "Nexus hardware", rows)


@transaction.atomic
def load_demo_products() -> int:
    """Create the demo products whose SKU nobody has yet; say how many that were.

    A second time creates none, and what users have made of the first ones stays. Needs `load_demo_taxonomy`.
    """
    taxonomy = Taxonomy.objects.get(code=TAXONOMY, version=VERSION)
    categories = dict(taxonomy.categories.values_list("code", "pk"))
    rows = list(_rows("demo_products.csv"))
    known = set(Product.objects.filter(sku__in=[row["sku"] for row in rows]).values_list("sku", flat=True))
    missing = [_product(row, categories) for row in rows if row["sku"] not in known]
    Product.objects.bulk_create(missing)
    return len(missing)


def _product(row: dict[str, str], categories: dict[str, int]) -> Product:
    category_id = categories[row["category"]] if row["category"] else None
    return Product(
        sku=row["sku"],
        name=row["name"],
        description=row["description"],
        manufacturer=row["manufacturer"],
        part_number=row["part_number"],
        gtin=row["gtin"],
        attributes=json.loads(row["attributes"] or "{}"),
        status=row["status"],
        category_id=category_id,
        category_source=Product.CategorySource.IMPORTED if category_id else None,
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
