"""A kind of job for tests, whose items are numbers; those in ``broken`` fail, and ``deadly`` chunks raise."""

from collections.abc import Callable, Iterator

import pytest

from accounts.models import User
from nexus.api.errors import invalid
from nexus.jobs import kinds, services
from nexus.jobs.kinds import JobKind, Outcome
from nexus.jobs.models import Chunk, Job

MakeJob = Callable[..., Job]


class Counting:
    """Does numbers in chunks of ten, and remembers how often it did each chunk."""

    def __init__(self) -> None:
        self.broken: set[int] = set()
        self.deadly: set[int] = set()
        self.unpreparable = False
        self.unrecordable = False
        self.ended: list[str] = []
        self.done: list[int] = []

    def prepare(self, job: Job) -> list[Chunk]:
        if self.unpreparable:
            raise invalid("/numbers", "does_not_exist", "There are no such numbers.")
        return kinds.cut(job, job.parameters["numbers"], 10)

    def work(self, job: Job, chunk: Chunk) -> Outcome:
        self.done.append(chunk.position)
        if chunk.position in self.deadly:
            raise RuntimeError("deadly")
        failed = len(self.broken & set(range(chunk.first, chunk.first + chunk.size)))
        return Outcome(succeeded=chunk.size - failed, failed=failed)

    def give_up(self, job: Job, chunk: Chunk, reason: str) -> Outcome:
        if self.unrecordable:
            raise RuntimeError("nowhere to record it")
        return Outcome(succeeded=0, failed=chunk.size)

    def finish(self, job: Job) -> None:
        self.ended.append(job.status)


@pytest.fixture
def counting() -> Iterator[Counting]:
    counting = Counting()
    kinds.register(
        JobKind(
            name="count",
            prepare=counting.prepare,
            work=counting.work,
            give_up=counting.give_up,
            finish=counting.finish,
        )
    )
    yield counting
    del kinds._kinds["count"]


@pytest.fixture
def make_job(counting: Counting, editor: User) -> MakeJob:
    def make(numbers: int = 25, user: User = editor) -> Job:
        parameters = {"numbers": numbers}
        return services.create_job(kind="count", purpose="Counting", parameters=parameters, user_id=user.pk)

    return make


def work_off(job: Job) -> Job:
    """Do for a job what workers would, until they find nothing to do."""
    while services.work_on(job.pk):
        pass
    job.refresh_from_db()
    return job
