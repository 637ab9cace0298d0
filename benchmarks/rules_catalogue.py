"""How long rules and precedents take over a catalogue in PostgreSQL, in one process.

    python -m benchmarks.rules_catalogue [PRODUCTS]

starts an empty PostgreSQL and Redis, fills them with products (50,000 unless told otherwise), 1,000 rules and as
many precedents as products, and prints one JSON line: seconds to count hits and conflicts of all rules, to find what
one rule touches, and to look up what was decided about 500 products at once (the median of 20 times).
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

RULES = 1_000
ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "nexus.settings", "NEXUS_ENVIRONMENT": "development"}


def main() -> None:
    """Start the services, or measure within them."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    if "MEASURED" in os.environ:
        measure(number)
        return
    inner = [sys.executable, "-m", "nexus.devservices", sys.executable, "-m", "benchmarks.rules_catalogue"]
    subprocess.run([*inner, str(number)], env=os.environ | ENVIRONMENT | {"MEASURED": "1"}, check=True)


def measure(number: int) -> None:
    """Fill the database and print the figures."""
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks.catalogue import fill
    from classification.models import RuleConflict
    from classification.services import rule_checks, touched
    from nexus.jobs.running import run_to_end
    from products.models import Taxonomy

    call_command("migrate", verbosity=0)
    fill(number)
    taxonomy = Taxonomy.objects.get()
    rule_id = make_rules(taxonomy)
    look_up = make_precedents(taxonomy)
    figures: dict[str, Any] = {"products": number, "rules": RULES}
    figures["check_s"] = seconds(lambda: run_to_end(rule_checks.check_rules(taxonomy, user_id=None)))
    figures["conflicts"] = RuleConflict.objects.count()
    figures["touched_by_a_rule_s"] = seconds(lambda: touched.count({"rule": rule_id}))
    figures["look_up_500_ms"] = round(statistics.median(seconds(look_up) for _ in range(20)) * 1000, 1)
    print(json.dumps(figures))


def seconds(do: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    do()
    return round(time.perf_counter() - began, 4)


def make_rules(taxonomy: Any) -> int:
    """Rules of which each names a maker, a kind and a series, for 50 categories; the id of one of them."""
    from benchmarks.catalogue import KINDS, MAKERS
    from classification.models import Rule

    leaves = list(taxonomy.categories.filter(is_leaf=True).values_list("id", flat=True)[:50])
    made = Rule.objects.bulk_create(
        Rule(
            taxonomy=taxonomy,
            name=f"Rule {index}",
            category_id=leaves[index % len(leaves)],
            # One in ten says less, and so holds of the products of others too.
            conditions=[
                {"field": "manufacturer", "operator": "is", "value": MAKERS[index % len(MAKERS)]},
                {"field": "name", "operator": "contains", "value": KINDS[index % len(KINDS)]},
                {"field": "text", "operator": "contains", "value": f"series {index % 99 + 1}"},
            ][: 3 if index % 10 else 2],
        )
        for index in range(RULES)
    )
    return made[0].pk


def make_precedents(taxonomy: Any) -> Callable[[], object]:
    """A precedent for each product; a call that looks the first 500 up."""
    from django.utils import timezone

    from classification import engine
    from classification.models import Precedent
    from classification.services import precedents
    from products.models import Product

    leaf = taxonomy.categories.filter(is_leaf=True).first()
    texts = (engine.Text(**product.text()) for product in Product.objects.order_by("id").iterator(2_000))
    first = list(islice(texts, 500))
    known = {one.exact: one for text in (*first, *texts) if (one := precedents.identity(text))}
    Precedent.objects.bulk_create(
        (
            Precedent(
                taxonomy=taxonomy,
                exact=one.exact,
                near=one.near,
                category=leaf,
                is_right=True,
                decided_at=timezone.now(),
            )
            for one in known.values()
        ),
        batch_size=5_000,
    )
    return lambda: precedents.look_up(taxonomy.pk, first)


if __name__ == "__main__":
    main()
