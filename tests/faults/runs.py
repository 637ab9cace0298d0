"""Runs of work that are disturbed on purpose, and compared row by row with one that is not.

What kinds of work take part is in `tests.faults.scenarios`.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.conftest import Nexus, eventually, kill
from tests.faults.scenarios import Rows, Scenario, end_upload, start_upload

WORKERS = ("one", "two")
CLOCK = "clock"
# The share of kills that hit a worker as a whole.
WHOLE_WORKERS = 0.25
TERMINAL = frozenset({"succeeded", "partially_failed", "failed", "cancelled"})


@dataclass(slots=True)
class Report:
    """What a disturbed run came to."""

    scenario: str
    rows: int
    jobs: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    lost_parts: int = 0
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
    # How many jobs are open while workers are killed, so that there is always work to be killed in: a killed worker
    # holds its lease for half a minute.
    open_jobs: int = 2
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    # Those that are disturbed.
    jobs: list[str] = field(default_factory=list)

    def undisturbed(self) -> Rows:
        """The rows that a job leaves when nothing happens to it."""
        self.start_workers()
        job_id = self.scenario.submit(self.nexus, self.token)
        eventually(lambda: self.ended(job_id), self.patience_s)
        assert self.status(job_id) == self.scenario.ends_as
        return self.scenario.state(self.nexus, job_id)

    def disturbed(
        self, expected: Rows, kills: int, pause_s: tuple[float, float], at: dict[int, Callable[[], None]]
    ) -> Report:
        """Kill workers so often, with other disturbances after some of the kills, and compare all that came of it."""
        report = Report(self.scenario.name, len(expected))
        for number in range(kills):
            time.sleep(self.chance.uniform(*pause_s))
            killed = self.kill_some_worker()
            report.kills[killed] = report.kills.get(killed, 0) + 1
            at.get(number, lambda: None)()
            if self.in_a_hurry:
                self.nexus.some_seconds_later()
        report.jobs = len(self.jobs)
        for job_id in self.jobs:
            self.see_to_its_end(job_id, report)
            found = self.scenario.state(self.nexus, job_id)
            report.different_rows += differences(expected, found)
        ((report.lost_parts, report.set_aside),) = self.nexus.rows(
            "SELECT count(*) FILTER (WHERE message LIKE 'Attempt%%worker died%%'), "
            "count(*) FILTER (WHERE message LIKE 'Set aside%%worker died%%') FROM nexus_jobs_logline WHERE %s",
            True,
        )
        return report

    def see_to_its_end(self, job_id: str, report: Report) -> None:
        """Wait for the end of a job. One of which a part was killed three times by chance is taken up again."""
        with suppress(AssertionError):
            eventually(lambda: self.ended(job_id), self.patience_s)
        while self.lacks_a_part(job_id):
            report.retries += 1
            answer = self.nexus.call("POST", f"/api/v1/jobs/{job_id}/retry", token=self.token)
            assert answer.status == 202, answer
            eventually(lambda: self.ended(job_id), self.patience_s)
        report.stuck += self.status(job_id) != self.scenario.ends_as

    def lacks_a_part(self, job_id: str) -> bool:
        """Whether a chunk of an ended job was set aside, or its preparation given up."""
        unprepared = self.nexus.rows(
            "SELECT id FROM nexus_jobs_job WHERE id = %s AND status = 'failed' AND prepared_at IS NULL",
            job_id,
        )
        set_aside = self.nexus.rows(
            "SELECT id FROM nexus_jobs_chunk WHERE job_id = %s AND status = 'failed'", job_id
        )
        return self.status(job_id) in TERMINAL and bool(unprepared or set_aside)

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
        """SIGKILL a process in the middle of its work, or its worker with all of its processes."""
        pid = self.chance.choice(self.processes_at_work())
        worker = next((one for one in self.workers.values() if pid in children_of(one.pid)), None)
        if worker is not None and self.chance.random() < WHOLE_WORKERS:
            kill(worker)
            return "worker"
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return "process"

    def processes_at_work(self) -> list[int]:
        """The processes that hold the lease of a chunk or of a step, once there are any."""
        found: list[int] = []

        def look() -> bool:
            self.start_workers()
            self.submit_what_lacks()
            leases = self.nexus.rows(
                "SELECT leased_by FROM nexus_jobs_chunk WHERE status = 'running' "
                "UNION SELECT leased_by FROM nexus_jobs_job WHERE leased_until IS NOT NULL"
            )
            pids = {int(name.split(":")[1]) for (name,) in leases}
            mine = {child for worker in self.workers.values() for child in children_of(worker.pid)}
            found.extend(sorted(pids & mine))
            return bool(found)

        eventually(look, self.patience_s)
        return found

    def submit_what_lacks(self) -> None:
        """Ask for one more job where few are left."""
        if sum(self.status(job_id) not in TERMINAL for job_id in self.jobs) < self.open_jobs:
            self.jobs.append(self.scenario.submit(self.nexus, self.token))

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
        connection, _ = start_upload(self.nexus, self.token, self.scenario.path, self.scenario.file)
        assert self.nexus.web
        kill(self.nexus.web)
        connection.close()
        self.nexus.start_web()
        assert self.nexus.rows("SELECT count(*) FROM nexus_jobs_job") == before
        job_id = end_upload(*start_upload(self.nexus, self.token, self.scenario.path, self.scenario.file))
        if self.in_a_hurry:
            self.nexus.some_seconds_later()
        eventually(lambda: self.ended(job_id), self.patience_s)
        assert self.status(job_id) == "succeeded"


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def differences(expected: Rows, found: Rows) -> int:
    """How many rows are missing, too many, or not what they ought to be."""
    pairs = sum(one != other for one, other in zip(expected, found, strict=False))
    return pairs + abs(len(expected) - len(found))
