"""Runs of work that are disturbed on purpose, and compared row by row with one that is not.

A kind of work takes part by a `Scenario`; `SCENARIOS` names all of them.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.faults.conftest import Nexus, eventually, kill

WORKERS = ("one", "two")
CLOCK = "clock"
# How many jobs are open while workers are killed, so that there is always work to be killed in.
OPEN_JOBS = 2
# The share of kills that hit a worker as a whole.
WHOLE_WORKERS = 0.25
TERMINAL = frozenset({"succeeded", "partially_failed", "failed", "cancelled"})

Rows = Sequence[tuple[Any, ...]]


class Scenario(Protocol):
    """A kind of long work: how it is asked for, and what it leaves behind."""

    name: str

    def submit(self, nexus: Nexus, token: str) -> str:
        """Ask for it; the id of the job."""

    def state(self, nexus: Nexus, job_id: str) -> Rows:
        """All that a job has left behind, in an order, without what differs from job to job (ids, times, lots)."""


class Batch:
    """Classification of all products of the catalogue."""

    name = "batch"

    def submit(self, nexus: Nexus, token: str) -> str:
        """A job by filter."""
        answer = nexus.call(
            "POST", "/api/v1/classify/batch", {"filter": {}, "taxonomy": "nexus-hardware"}, token
        )
        assert answer.status == 202, answer
        return str(answer.body["job_id"])

    def state(self, nexus: Nexus, job_id: str) -> Rows:
        """Every answer."""
        return nexus.rows(
            "SELECT position, product_id, category_id, confidence, candidates::text, back_off::text, decision, source, "
            "error, input::text FROM classification_classification WHERE job_id = %s ORDER BY position, id",
            job_id,
        )


SCENARIOS: tuple[Scenario, ...] = (Batch(),)


@dataclass(slots=True)
class Report:
    """What a disturbed run came to."""

    scenario: str
    rows: int
    jobs: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    lost_chunks: int = 0
    set_aside: int = 0
    retries: int = 0
    different_rows: int = 0
    stuck: int = 0

    @property
    def is_well(self) -> bool:
        """Whether everything came out as in the undisturbed run."""
        return not (self.different_rows or self.stuck)


@dataclass(slots=True)
class Run:
    """Work of one kind under two workers, and what is done to them."""

    nexus: Nexus
    scenario: Scenario
    token: str
    # Whether time is helped along, as short runs do: leases run out at once.
    in_a_hurry: bool
    patience_s: float
    chance: random.Random
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def undisturbed(self) -> Rows:
        """The rows that a job leaves when nothing happens to it."""
        self.start_workers()
        job_id = self.scenario.submit(self.nexus, self.token)
        eventually(lambda: self.ended(job_id), self.patience_s)
        assert self.status(job_id) == "succeeded"
        return self.scenario.state(self.nexus, job_id)

    def disturbed(
        self, expected: Rows, kills: int, pause_s: tuple[float, float], at: dict[int, Callable[[], None]]
    ) -> Report:
        """Kill workers so often, with other disturbances after some of the kills, and compare all that came of it."""
        report = Report(self.scenario.name, len(expected))
        jobs: list[str] = []
        for number in range(kills):
            while sum(self.status(job_id) not in TERMINAL for job_id in jobs) < OPEN_JOBS:
                jobs.append(self.scenario.submit(self.nexus, self.token))
            time.sleep(self.chance.uniform(*pause_s))
            killed = self.kill_some_worker()
            report.kills[killed] = report.kills.get(killed, 0) + 1
            at.get(number, lambda: None)()
            if self.in_a_hurry:
                self.nexus.some_seconds_later()
        report.jobs = len(jobs)
        for job_id in jobs:
            self.see_to_its_end(job_id, report)
            found = self.scenario.state(self.nexus, job_id)
            report.different_rows += differences(expected, found)
        ((report.lost_chunks, report.set_aside),) = self.nexus.rows(
            "SELECT count(*) FILTER (WHERE message LIKE 'Attempt%%worker died%%'), "
            "count(*) FILTER (WHERE message LIKE 'Set aside%%worker died%%') FROM nexus_jobs_logline WHERE %s",
            True,
        )
        return report

    def see_to_its_end(self, job_id: str, report: Report) -> None:
        """Wait for the end of a job. One whose chunk was killed three times by chance is taken up again."""
        with suppress(AssertionError):
            eventually(lambda: self.ended(job_id), self.patience_s)
        while self.status(job_id) in {"partially_failed", "failed"}:
            report.retries += 1
            answer = self.nexus.call("POST", f"/api/v1/jobs/{job_id}/retry", token=self.token)
            assert answer.status == 202, answer
            eventually(lambda: self.ended(job_id), self.patience_s)
        report.stuck += self.status(job_id) != "succeeded"

    def status(self, job_id: str) -> str:
        """The state of a job, in the database."""
        return str(self.nexus.rows("SELECT status FROM nexus_jobs_job WHERE id = %s", job_id)[0][0])

    def start_workers(self) -> None:
        """Start those that are not there, and the clock, as whatever watches over services does in production."""
        for name in (*WORKERS, CLOCK):
            if name not in self.workers or self.workers[name].poll() is not None:
                self.workers[name] = (
                    self.nexus.start_clock()
                    if name == CLOCK
                    else self.nexus.start_worker(name, with_clock=False)
                )

    def ended(self, job_id: str) -> bool:
        """Whether a job has come to an end; whatever has died meanwhile is started again."""
        self.start_workers()
        return self.status(job_id) in TERMINAL

    def kill_some_worker(self) -> str:
        """SIGKILL a process in the middle of a chunk, or its worker with all of its processes."""
        pid = self.chance.choice(self.processes_at_work())
        worker = next((one for one in self.workers.values() if pid in children_of(one.pid)), None)
        if worker is not None and self.chance.random() < WHOLE_WORKERS:
            kill(worker)
            return "worker"
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return "process"

    def processes_at_work(self) -> list[int]:
        """The processes that hold the lease of a chunk, once there are any."""
        found: list[int] = []

        def look() -> bool:
            self.start_workers()
            leases = self.nexus.rows("SELECT leased_by FROM nexus_jobs_chunk WHERE status = 'running'")
            pids = {int(name.split(":")[1]) for (name,) in leases}
            mine = {child for worker in self.workers.values() for child in children_of(worker.pid)}
            found.extend(sorted(pids & mine))
            return bool(found)

        eventually(look, self.patience_s)
        return found

    def lose_redis(self) -> None:
        """Kill Redis and start an empty one."""
        os.kill(self.nexus.pid_of_redis(), signal.SIGKILL)
        self.nexus.redis.stop()
        self.nexus.redis.start()

    def restart_postgres(self) -> None:
        """Stop PostgreSQL under whoever is connected, and start it again."""
        self.nexus.postgres.stop()
        self.nexus.postgres.start()
        eventually(lambda: self.nexus.status_of("/health") == 200)

    def kill_web_server_in_an_upload(self) -> None:
        """Kill the web server when half of a file has arrived: nothing is left of it, and the next upload is whole."""
        before = self.nexus.rows("SELECT count(*) FROM nexus_jobs_job")
        connection, content = start_upload(self.nexus, self.token)
        assert self.nexus.web
        kill(self.nexus.web)
        connection.close()
        self.nexus.start_web()
        assert self.nexus.rows("SELECT count(*) FROM nexus_jobs_job") == before
        connection, content = start_upload(self.nexus, self.token)
        connection.send(content)
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()
        job_id = json.loads(answer.read())["job_id"]
        connection.close()
        if self.in_a_hurry:
            self.nexus.some_seconds_later()
        eventually(lambda: self.ended(job_id), self.patience_s)
        assert self.status(job_id) == "succeeded"


def start_upload(nexus: Nexus, token: str) -> tuple[http.client.HTTPConnection, bytes]:
    """A connection over which half of a file to classify was sent, and the other half."""
    file = b"name\n" + b"".join(b"18V cordless hammer drill %d\n" % number for number in range(2000))
    body = (
        b'--nexus\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + file + b"\r\n--nexus--\r\n"
    )
    connection = http.client.HTTPConnection("127.0.0.1", nexus.port, timeout=60)
    connection.putrequest("POST", "/api/v1/classify/batch")
    connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=nexus")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) // 2])
    return connection, body[len(body) // 2 :]


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def differences(expected: Rows, found: Rows) -> int:
    """How many rows are missing, too many, or not what they ought to be."""
    pairs = sum(one != other for one, other in zip(expected, found, strict=False))
    return pairs + abs(len(expected) - len(found))
