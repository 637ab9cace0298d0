"""``make faults``: workers killed 100 times at random while they work, and whatever they stand on taken away.

    python -m tests.faults [--kills 100] [--products 20000] [--seed NUMBER] [--scenario batch|create|upsert] [--hurry]

For each scenario that is named, or every one, and on services of its own: an undisturbed run; then runs in which
workers and their processes are killed with SIGKILL (100 times unless told otherwise), Redis is killed and comes back
empty, PostgreSQL is restarted, and the web server is killed in the middle of an upload. It prints one JSON line a
scenario, and exits with 1 where any row of any job differs from the undisturbed run, or a job has not ended well.
With ``--hurry`` all leases run out at every kill, also those of workers that live: parts are done twice at once.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.faults.conftest import Nexus, running
from tests.faults.runs import Report, Run
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.live import PROJECT, environment

KILLS, PRODUCTS = 100, 20_000
PAUSE_S = (0.5, 2.5)
OPEN_JOBS = 4
# A chunk of a killed worker waits for the end of its lease, and another may wait behind it.
PATIENCE_S = 300.0
FILL = "import django; django.setup(); from benchmarks.classify_batch import fill; fill({})"


def main() -> None:
    """Run the scenarios."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenario", action="append", choices=known, help="may be repeated")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--hurry", action="store_true")
    given = parser.parse_args()
    names = given.scenario or list(known)
    reports = [run(known[name], given) for name in names]
    sys.exit(0 if all(report.is_well for report in reports) else 1)


def run(scenario: Scenario, given: argparse.Namespace) -> Report:
    """The report of one scenario, printed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as nexus:
        add_products(nexus, given.products)
        run = Run(
            nexus,
            scenario,
            nexus.sign_in(),
            in_a_hurry=given.hurry,
            patience_s=PATIENCE_S,
            chance=random.Random(given.seed),
            open_jobs=OPEN_JOBS,
        )
        expected = run.undisturbed()
        disturbances = {
            given.kills // 4: run.lose_redis,
            given.kills // 2: run.restart_postgres,
            3 * given.kills // 4: run.kill_web_server_in_an_upload,
        }
        report = run.disturbed(expected, given.kills, PAUSE_S, disturbances)
    told = asdict(report) | {"seed": given.seed, "minutes": round((time.monotonic() - began) / 60, 1)}
    sys.stdout.write(json.dumps(told | {"is_well": report.is_well}) + "\n")
    sys.stdout.flush()
    return report


def add_products(nexus: Nexus, number: int) -> None:
    """Fill the catalogue."""
    values = environment(nexus.postgres.url, nexus.redis.url) | {"DJANGO_SETTINGS_MODULE": "nexus.settings"}
    subprocess.run([sys.executable, "-c", FILL.format(number)], cwd=PROJECT, env=values, check=True)


if __name__ == "__main__":
    main()
