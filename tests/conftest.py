"""A seeded database, and a Nexus that runs on a copy of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Live, database, fill, redis_url, serving, url_of

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
# Beside the numbers that the tests of one process each use; see the conftest of the whole project.
SHARED_REDIS, OWN_REDIS = 11 - 2 * WORKER, 10 - 2 * WORKER


@pytest.fixture(scope="session")
def seeded() -> Iterator[str]:
    """The name of a database as ``make run`` makes it the first time; to be copied, and not to be written to."""
    with database() as name:
        fill(url_of(name))
        yield name


@pytest.fixture(scope="session")
def live(seeded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running Nexus that tests share: whoever counts on something makes it first."""
    with database(template=seeded) as name:
        logs = tmp_path_factory.mktemp("live")
        with serving(url_of(name), redis_url(SHARED_REDIS), logs) as running:
            yield running


@pytest.fixture
def fresh_live(seeded: str, tmp_path: Path) -> Iterator[Live]:
    """A running Nexus of one test's own, as it is after the first ``make run``."""
    with database(template=seeded) as name, serving(url_of(name), redis_url(OWN_REDIS), tmp_path) as running:
        yield running
