"""How long whole taxonomies take to import.

    python -m benchmarks.taxonomy_import [FOLDER] [CATEGORIES]

starts an empty PostgreSQL and Redis, and imports every file of the folder, and a made-up file of UNSPSC's shape with
as many categories (150,000 unless told otherwise), by the service that the API and the command use: first into a new
version, then once more, which changes nothing, then as a second version with one category in a hundred renamed. It
prints one JSON line a file: categories, seconds to read and check it, and seconds of each import. Of the last file
there are then two versions with 100,000 products in the first: the seconds to compare and to map them, to carry the
products over and back, of pages of the admin, and of deleting the second version with 100,000 answers.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "nexus.settings", "NEXUS_ENVIRONMENT": "development"}
PRODUCTS = 100_000
ANSWERS = """
INSERT INTO classification_classification (job_id, position, input, taxonomy_id, category_id, confidence,
    candidates, explanation, source, decision, error, awaits_review, review_priority, created_at)
SELECT %s, row_number() OVER (), '{"name": "x"}', taxonomy_id, id, 0.5,
    '[]', '[]', 'classifier', 'auto_accepted', '', false, 0, now()
FROM products_category WHERE taxonomy_id = %s LIMIT %s
"""
WORDS = [
    *(
        "cutting",
        "industrial",
        "hydraulic",
        "ceramic",
        "portable",
        "digital",
        "marine",
        "surgical",
        "polymer",
    ),
    *("stainless", "thermal", "optical", "rotary", "precision", "coated", "flexible", "modular", "insulated"),
    *("threaded", "adjustable"),
]
THINGS = [
    *(
        "pump",
        "valve",
        "drill",
        "saw",
        "cable",
        "glove",
        "tape",
        "bearing",
        "filter",
        "motor",
        "sensor",
        "lamp",
    ),
    *("hose", "clamp", "blade", "relay", "gauge"),
]


def main() -> None:
    """Start the services, or measure within them."""
    if "MEASURED" not in os.environ:
        inner = [
            sys.executable,
            "-m",
            "nexus.devservices",
            sys.executable,
            "-m",
            "benchmarks.taxonomy_import",
        ]
        subprocess.run([*inner, *sys.argv[1:]], env=os.environ | ENVIRONMENT | {"MEASURED": "1"}, check=True)
        return
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for path in sorted(folder.iterdir()) if folder else []:
        measure(path.name, path.read_bytes())
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 150_000
    content = made_up(number).encode()
    measure("made-up UNSPSC", content)
    measure_versions(content)


def measure(name: str, content: bytes) -> None:
    """Import a file three times and print the figures."""
    from products.models import Taxonomy
    from products.services import taxonomy_imports
    from products.services.taxonomy_imports import Wanted

    Taxonomy.objects.update(is_current=False)
    code = f"measured-{Taxonomy.objects.count()}"
    figures: dict[str, Any] = {"file": name}
    opened: Any = None

    def read() -> None:
        nonlocal opened
        opened = taxonomy_imports.open_file(content, name, Wanted(code=code, version="1"))

    figures["read_s"] = seconds(read)
    figures["categories"] = len(opened.reading.rows)
    figures["new_s"] = seconds(lambda: taxonomy_imports.load(opened))
    figures["again_s"] = seconds(lambda: taxonomy_imports.load(opened))
    changed = taxonomy_imports.open_file(renamed(content), name, Wanted(code=code, version="1"))
    figures["one_in_100_renamed_s"] = seconds(lambda: taxonomy_imports.load(changed))
    print(json.dumps(figures), flush=True)


def measure_versions(content: bytes) -> None:
    """Compare and map two versions of a taxonomy, carry products over and back, and look at pages of the admin."""
    from products.models import Category, Product, Taxonomy
    from products.services import carrying, comparing, mapping, taxonomy_imports
    from products.services.taxonomy_imports import Wanted

    for version, text in (("1", content), ("2", renamed(content))):
        taxonomy_imports.load(taxonomy_imports.open_file(text, "", Wanted(code="versions", version=version)))
    one, two = Taxonomy.objects.filter(code="versions").order_by("id")
    leaves = list(Category.objects.filter(taxonomy=one, is_leaf=True).values_list("id", flat=True))
    Product.objects.bulk_create(
        (
            Product(
                sku=f"P-{number}",
                name=f"Product {number}",
                category_id=leaves[number % len(leaves)],
                category_source="manual",
            )
            for number in range(PRODUCTS)
        ),
        batch_size=5_000,
    )
    figures: dict[str, Any] = {"products": PRODUCTS}
    figures["compare_s"] = seconds(lambda: comparing.compare(one, two))
    figures["propose_s"] = seconds(lambda: mapping.propose(one, two))
    figures["preview_s"] = seconds(lambda: carrying.preview(one, two))
    over = carrying.carry_over(one, two, user_id=None)
    figures["carry_over_s"] = seconds(lambda: work_off(over))
    back = carrying.carry_back(two, over.pk, user_id=None)
    figures["carry_back_s"] = seconds(lambda: work_off(back))
    print(json.dumps(figures), flush=True)
    print(json.dumps(pages(two.pk, leaves[-1])), flush=True)
    print(json.dumps(deletion(two)), flush=True)


def work_off(job: Any) -> None:
    """Do a job in this process."""
    from nexus.jobs import services as jobs

    jobs.work_on(job.pk)
    while jobs.work_on(job.pk):
        pass
    job.refresh_from_db()
    assert job.status == "succeeded", (job.status, job.error)


def pages(taxonomy: int, category: int) -> dict[str, float]:
    """Seconds of pages of the admin, each asked for a second time."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from accounts.roles import ADMINISTRATOR
    from accounts.services.users import create_user

    settings.ALLOWED_HOSTS = ["*"]
    user: User = create_user(
        email="staff@example.org", password="only for this run", roles=[ADMINISTRATOR], is_staff=True
    )
    client = Client()
    client.force_login(user)
    found = {}
    for name, address in {
        "categories": "category/",
        "categories of one taxonomy": f"category/?taxonomy__id__exact={taxonomy}",
        "search of categories": "category/?q=hydraulic+pump",
        "one category": f"category/{category}/change/",
        "one taxonomy": f"taxonomy/{taxonomy}/change/",
        "steps": "categorymapping/",
        "open steps": "categorymapping/?is_decided__exact=0",
        "search of steps": "categorymapping/?q=27111501",
    }.items():
        client.get(f"/admin/products/{address}")
        found[name] = seconds(lambda address=address: _ok(client, address))  # type: ignore[misc]
    return found


def deletion(taxonomy: Any) -> dict[str, float]:
    """Seconds and statements of deleting a taxonomy with its steps and with answers, and MiB that the process grows."""
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    from nexus.jobs.models import Job
    from products.services import taxonomies

    job = Job.objects.create(kind="measured")
    with connection.cursor() as cursor:
        cursor.execute(ANSWERS, [job.pk, taxonomy.pk, PRODUCTS])
        cursor.execute("VACUUM ANALYZE")
    # The peak is counted from here on; see proc(5), "clear_refs".
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_kib()
    with CaptureQueriesContext(connection) as statements:
        took = seconds(transaction.atomic(lambda: taxonomies.delete_taxonomy(taxonomies.lock(taxonomy.pk))))
    return {"delete_s": took, "statements": len(statements), "grown_mib": (peak_kib() - before) // 1024}


def peak_kib() -> int:
    """The most memory that this process has had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _ok(client: Any, address: str) -> None:
    assert client.get(f"/admin/products/{address}").status_code == 200


def seconds(do: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    do()
    return round(time.perf_counter() - began, 2)


def renamed(content: bytes) -> bytes:
    """The file with another name in the last line of every hundred."""
    lines = content.split(b"\n")
    return b"\n".join(
        line + b" (new)" if number % 100 == 99 and line else line for number, line in enumerate(lines)
    )


def made_up(number: int) -> str:
    """So many categories of four levels with codes and titles like those of UNSPSC."""
    lines = ["Key,Parent key,Code,Title"]
    for key, (code, parent) in zip(range(1, number + 1), codes(), strict=False):
        lines.append(f"{code},{parent},{code},{title(key)}")
    return "\n".join(lines) + "\n"


def codes() -> Iterator[tuple[str, str]]:
    """Codes and those above them: 88 segments of 14 families, of 14 classes, of 9 commodities."""
    for segment in range(10, 98):
        yield f"{segment}000000", ""
        for family in range(10, 24):
            yield f"{segment}{family}0000", f"{segment}000000"
            for class_ in range(10, 24):
                yield f"{segment}{family}{class_}00", f"{segment}{family}0000"
                for commodity in range(1, 10):
                    yield f"{segment}{family}{class_}{commodity:02}", f"{segment}{family}{class_}00"


def title(key: int) -> str:
    """A title that hardly any other key has."""
    first, second, thing = (
        WORDS[key % 20],
        WORDS[key // 20 % 20],
        THINGS[key // 400 % 17],
    )
    return f"{first.capitalize()} {second} {thing} {key // 6800 or ''}".strip()


if __name__ == "__main__":
    main()
