"""A short disturbed run of every kind of work; ``make faults`` has the long ones."""

import random

import pytest

from tests.faults.conftest import Nexus, kill
from tests.faults.runs import Run
from tests.faults.scenarios import SCENARIOS, Scenario

KILLS = 3
# One of imports does for all.
SHORT = [scenario for scenario in SCENARIOS if scenario.name != "create"]


@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
def test_whatever_dies_the_rows_are_those_of_an_undisturbed_run(nexus: Nexus, scenario: Scenario) -> None:
    run = Run(nexus, scenario, nexus.sign_in(), in_a_hurry=True, patience_s=60.0, chance=random.Random(7))
    try:
        expected = run.undisturbed()
        disturbances = {0: run.lose_redis, 1: run.restart_postgres, 2: run.kill_web_server_in_an_upload}
        report = run.disturbed(expected, KILLS, (0.0, 0.5), disturbances)
    finally:
        for worker in run.workers.values():
            kill(worker)
    assert (report.different_rows, report.stuck) == (0, 0)
    assert expected
