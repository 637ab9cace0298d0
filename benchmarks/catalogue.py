"""A catalogue of any size for measurements: ``python -m benchmarks.catalogue 100000`` fills an empty database."""

import os
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any

KINDS = (
    "cordless drill",
    "rotary hammer drill",
    "reciprocating saw",
    "mitre saw",
    "bench grinder",
    "impact wrench",
    "orbital sander",
    "glue gun",
    "inspection lamp",
    "torque wrench",
    "hex key set",
    "tube cutter",
    "bolt cropper",
    "measuring tape",
    "line laser",
    "safety glasses",
    "ear defenders",
    "rigger gloves",
    "safety helmet",
    "extension cable",
    "cable drum",
    "junction box",
    "circuit breaker",
    "led batten",
    "ball valve",
    "pressure gauge",
    "hose clip",
    "booster pump",
    "air filter",
    "fuse link",
    "ball bearing",
    "drive belt",
    "pipe clamp",
    "hex bolt",
    "lock nut",
    "wood screw",
    "wall plug",
    "step ladder",
    "tool bag",
    "parts bin",
)
MAKERS = ("Almstedt", "Bergholm", "Corvane", "Dunmore", "Elstrand", "Fairweld", "Grenholt", "Harbeck")
BATCH = 5000


def rows(number: int, category_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The fields of that many products, always the same ones; one in 20 is some drill."""
    # Not for secrets: the same catalogue each time.
    chance = random.Random(20)
    for index in range(1, number + 1):
        kind, maker = chance.choice(KINDS), chance.choice(MAKERS)
        volts, grams = chance.choice((12, 18, 24, 36, 230)), chance.randint(50, 9000)
        category_id = chance.choice(category_ids) if chance.random() < 0.9 else None
        yield {
            "sku": f"SKU-{index:07d}",
            "name": f"{maker} {kind} {volts}V series {chance.randint(1, 99)}",
            "description": f"{kind.capitalize()} by {maker}. Rated {volts} V, {grams} g. "
            "Made for daily use by professionals; spare parts are kept for ten years.",
            "manufacturer": maker,
            "part_number": f"{maker[:3].upper()}-{chance.randint(10_000, 99_999)}",
            "gtin": gtin(chance.randrange(10**12)),
            "attributes": {
                "voltage": volts,
                "mass_g": grams,
                "colour": chance.choice(("red", "blue", "black")),
                "warranty_months": chance.choice((12, 24, 36)),
                "rohs": chance.random() < 0.9,
            },
            "status": chance.choice(("active", "active", "active", "draft", "archived")),
            "category_id": category_id,
            "category_source": category_id and "imported",
        }


def gtin(number: int) -> str:
    """The GTIN-13 of 12 digits, with its check digit (GS1 General Specifications, section 7.9)."""
    digits = f"{number:012d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def fill(number: int) -> None:
    """Load the built-in taxonomy and that many products, and let PostgreSQL gather its statistics."""
    from django.db import connection

    from products.demo import load_demo_taxonomy
    from products.models import Product

    leaves = list(load_demo_taxonomy().categories.filter(is_leaf=True).values_list("pk", flat=True))
    Product.objects.bulk_create(
        (Product(**row) for row in rows(number, leaves)),
        batch_size=BATCH,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def main() -> None:
    """Fill the database at ``DATABASE_URL``."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nexus.settings")
    django.setup()
    fill(int(sys.argv[1]))


if __name__ == "__main__":
    main()
