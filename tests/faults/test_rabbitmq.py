"""The same work with RabbitMQ as the broker; skipped where it is not installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Nexus, eventually, kill
from tests.faults.rabbitmq import PROGRAM, RabbitMQ
from tests.faults.test_workers import LONG_S, job, submit

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not PROGRAM.exists(), reason="RabbitMQ is not installed"),
]


@pytest.fixture
def broker(nexus: Nexus, tmp_path: Path) -> Iterator[RabbitMQ]:
    """A RabbitMQ that the web server sends its messages to."""
    broker = RabbitMQ(tmp_path)
    broker.start()
    try:
        eventually(broker.answers, LONG_S)
        serve_with(nexus, broker.url)
        yield broker
    finally:
        serve_with(nexus, "")
        broker.kill()


def serve_with(nexus: Nexus, broker_url: str) -> None:
    """Start the web server anew, with another broker."""
    assert nexus.web
    kill(nexus.web)
    nexus.broker_url = broker_url
    nexus.start_web()


def succeeds(nexus: Nexus, token: str, job_id: str) -> None:
    """Wait until a job has ended well."""
    eventually(lambda: job(nexus, token, job_id)["status"] == "succeeded", LONG_S)


def test_jobs_are_done_and_outlive_the_broker(nexus: Nexus, broker: RabbitMQ) -> None:
    token = nexus.sign_in()
    worker = nexus.start_worker()
    try:
        for size in (3, 3_000):
            succeeds(nexus, token, submit(nexus, token, size))
        broker.kill()
        lost = submit(nexus, token, 3)
        broker.start()
        eventually(broker.answers, LONG_S)
        nexus.some_seconds_later()
        succeeds(nexus, token, lost)
        heard = "SELECT count(*) FROM nexus_jobs_queueheartbeat"
        eventually(lambda: nexus.rows(heard) == [(3,)], LONG_S)
    finally:
        kill(worker)
