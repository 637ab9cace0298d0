"""How long a small job waits while a large one runs.

    python -m benchmarks.jobs [PRODUCTS]

starts an empty PostgreSQL and Redis, fills them with products (1,000,000 unless told otherwise), and one worker with
two processes that serves every queue. A job over all products is prepared and worked off; meanwhile a job of 5 items
is submitted twenty times, and one of 3,000 items, which is too large for the queue of small ones, three times. It
prints one JSON line: seconds from the submission to the end, the median and the longest, and how far the large job is.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.classify_batch import ENVIRONMENT, WORKER, fill
from nexus.devservices.processes import start, stop_all

SMALL, MIDDLE = 5, 3_000
TIMES, TIMES_MIDDLE = 20, 3
PAUSE_S, LOOK_S = 1.0, 0.02
STOP_SECONDS = 10


def main() -> None:
    """Start the services, or measure within them."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if "MEASURED" in os.environ:
        measure(number)
        return
    inner = [sys.executable, "-m", "nexus.devservices", sys.executable, "-m", "benchmarks.jobs"]
    subprocess.run([*inner, str(number)], env=os.environ | ENVIRONMENT | {"MEASURED": "1"}, check=True)


def measure(number: int) -> None:
    """Fill the database and print the figures."""
    import django

    django.setup()
    from django.core.management import call_command

    from classification.services import classify

    call_command("migrate", verbosity=0)
    fill(number)
    command = [sys.executable, "-m", *WORKER]
    command[command.index("--concurrency") + 1] = "2"
    worker = start(command)
    try:
        chosen = classify.options()
        large = classify.classify_filter({}, chosen=chosen, user_id=None)
        wait_until(lambda: refreshed(large).processed > 0)
        figures: dict[str, Any] = {"large_items": number}
        for name, size, times in (("small", SMALL, TIMES), ("middle", MIDDLE, TIMES_MIDDLE)):
            seconds = [submitted_to_end(classify, chosen, size) for _ in range(times)]
            figures[name] = {
                "items": size,
                "times": times,
                "median_s": round(statistics.median(seconds), 2),
                "longest_s": round(max(seconds), 2),
            }
        figures |= prepared_and_processed(large)
        print(json.dumps(figures))
    finally:
        stop_all([worker], STOP_SECONDS)


def submitted_to_end(classify: Any, chosen: Any, items: int) -> float:
    """Seconds from the submission of a job to its end, with a pause after it."""
    began = time.monotonic()
    texts = [{"name": f"{number}V cordless hammer drill"} for number in range(items)]
    job = classify.classify_items(texts, chosen=chosen, user_id=None)
    wait_until(lambda: refreshed(job).is_finished)
    assert job.status == "succeeded"
    seconds = time.monotonic() - began
    time.sleep(PAUSE_S)
    return seconds


def prepared_and_processed(job: Any) -> dict[str, Any]:
    """How far the large job is at the end of the measurement, and how long cutting it into chunks took."""
    refreshed(job)
    preparing = (job.prepared_at - job.started_at).total_seconds() if job.prepared_at else None
    return {
        "large_status": job.status,
        "large_processed": job.processed,
        "large_prepared": job.prepared,
        "large_prepared_after_s": preparing and round(preparing, 1),
    }


def refreshed(job: Any) -> Any:
    """The job as it is now."""
    job.refresh_from_db()
    return job


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again until something holds."""
    while not holds():
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main()
