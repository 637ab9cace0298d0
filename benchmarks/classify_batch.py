"""How fast a batch is classified by two workers, beside the engine alone.

    python -m benchmarks.classify_batch [PRODUCTS]

starts an empty PostgreSQL and Redis, fills them with products (50,000 unless told otherwise) of which 5,000 have a
category, trains a classifier on these, and prints one JSON line: products per second of the engine alone on the same
texts in one process, and in each of two at once; of a job over all products with two workers, and what each of the two
keeps of the engine's speed; the memory of a worker, and the bytes of an answer with its indexes.
PostgreSQL, Redis and the workers share the machine.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from nexus.devservices.processes import start, stop_all

LABELLED = 5_000
BATCH = 20_000
AT_ONCE = 250
WORKERS = 2
STOP_SECONDS = 10
ENGINE = "engine"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "nexus.settings",
    "NEXUS_ENVIRONMENT": "development",
    "LOG_LEVEL": "ERROR",
    # One core for each process: engine and workers are compared by the core.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
WORKER = ["celery", "-A", "nexus", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]
NAMES = ("sku", "name", "description", "manufacturer", "part_number", "gtin", "attributes", "status")


def main() -> None:
    """Start the services, or measure within them."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    if os.environ.get("MEASURED") == ENGINE:
        print(engine_alone())
    elif "MEASURED" in os.environ:
        measure(number)
    else:
        start_services(number)


def start_services(number: int) -> None:
    """Measure with services of its own."""
    inner = [sys.executable, "-m", "nexus.devservices", sys.executable, "-m", "benchmarks.classify_batch"]
    subprocess.run([*inner, str(number)], env=os.environ | ENVIRONMENT | {"MEASURED": "1"}, check=True)


def measure(number: int) -> None:
    """Fill the database and print the figures."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    fill(number)
    call_command("train_classifier", "nexus-hardware", "--activate", stdout=sys.stderr)
    alone, beside = engine_alone(), engines_at_once()
    job, memory = by_workers()
    seconds = (job.finished_at - job.started_at).total_seconds()
    together = number / seconds
    figures = {
        "products": number,
        "engine_alone_per_s": round(alone),
        "engine_beside_another_per_s": round(beside),
        "job_status": job.status,
        "workers": WORKERS,
        "job_per_s": round(together),
        "job_s": round(seconds, 1),
        "kept_per_core": round(together / WORKERS / alone, 3),
        "worker_mb": memory,
        "answer_bytes": _size_of_answers() // number,
    }
    print(json.dumps(figures))


def fill(number: int) -> None:
    """The built-in taxonomy and that many products; the first have the category that their kind's name stands for."""
    from django.db import connection
    from django.utils import timezone

    from benchmarks.catalogue import KINDS, rows
    from classification import engine
    from classification.services import engines
    from nexus.api.copying import copy
    from products.demo import load_demo_taxonomy
    from products.models import Product

    taxonomy = load_demo_taxonomy()
    answers = engines.active(taxonomy).engine.predict([engine.Text(kind) for kind in KINDS])
    chosen = dict(zip(KINDS, (answer.candidates[0].category_id for answer in answers), strict=True))
    now = timezone.now()
    remaining = enumerate(rows(number, [0]))
    while part := list(islice(remaining, BATCH)):
        copy(
            Product,
            [*NAMES, "category", "category_source", "created_at", "updated_at"],
            (
                [*(row[name] for name in NAMES), *_label(row, chosen, index < LABELLED), now, now]
                for index, row in part
            ),
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _label(row: dict[str, Any], chosen: dict[str, int], is_labelled: bool) -> Sequence[Any]:
    if not is_labelled:
        return None, None
    return next(pk for kind, pk in chosen.items() if kind in row["name"]), "imported"


def engines_at_once() -> float:
    """Products per second of the engine in one of two processes that predict at the same time."""
    command = [sys.executable, "-m", "benchmarks.classify_batch"]
    environment = os.environ | {"MEASURED": ENGINE}
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(WORKERS)]
    return sum(float(process.communicate()[0]) for process in running) / WORKERS


def engine_alone() -> float:
    """Products per second of the active classifier in this process, on all texts; reading them does not count.

    Garbage is collected as rarely as in a worker.
    """
    import django

    django.setup()
    from classification.services import engines
    from nexus.ops.garbage import collect_rarely

    collect_rarely()
    loaded, _ = engines.answering(None)
    count, spent = 0, 0.0
    for texts in _texts():
        began = time.perf_counter()
        loaded.engine.predict(texts)
        spent += time.perf_counter() - began
        count += len(texts)
    return count / spent


def _texts() -> Iterator[list[Any]]:
    from classification import engine
    from products.models import Product

    last = 0
    while rows := Product.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE].texts():
        last = max(rows)
        yield [engine.Text(**text) for text in rows.values()]


def by_workers() -> tuple[Any, int]:
    """The job over all products, as two workers have ended it, and the most memory (MB) that a process of them had."""
    from classification.services import classify

    workers = [
        start([sys.executable, "-m", *WORKER, "--queues", "bulk", "--hostname", f"{number}@%h"])
        for number in range(WORKERS)
    ]
    try:
        job = classify.classify_filter({}, chosen=classify.options(), user_id=None)
        while not job.is_finished:
            time.sleep(1)
            job.refresh_from_db()
            print(f"{job.status} {job.processed} / {job.total}", file=sys.stderr, flush=True)
        return job, max(_peak_mb(child) for worker in workers for child in _children(worker.pid))
    finally:
        stop_all(workers, STOP_SECONDS)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _peak_mb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _size_of_answers() -> int:
    """Bytes of the table of answers with its indexes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('classification_classification')")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
