"""What jobs do: every kind of job registers itself here, so that this room knows none of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from nexus.api.errors import Conflict
from nexus.jobs.models import Chunk, Job

# Between being asked to end and being killed.
SECONDS_TO_END = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many items of a chunk came out well, and how many did not."""

    succeeded: int
    failed: int


def _nothing(job: Job) -> None:
    """For kinds that need nothing done."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of long work.

    `prepare(job)` gives the chunks that the job is cut into, unsaved; it runs in a transaction with the job locked.
    `work(job, chunk)` does the items of a chunk. It may be called again for a chunk that it has done in part or in
    whole, by another worker, even at the same time; doing so must change nothing more (a unique key for each result).
    `give_up(job, chunk, reason)` records the items of a chunk that could not be done, and returns their outcome.
    `before_retry(job)` forgets the failures, so that `work` takes them up again.
    `finish(job)` runs in the transaction that ends the job, however it ended.
    `permission` is what its owner needs to cancel or retry a job; any role will do when it is empty.
    `queue` names the queue of the workers that do it, where that is not the common one, and `seconds` is how long a
    chunk may take, where that is longer than the common limit.
    """

    name: str
    prepare: Callable[[Job], Iterable[Chunk]]
    work: Callable[[Job, Chunk], Outcome]
    give_up: Callable[[Job, Chunk, str], Outcome]
    before_retry: Callable[[Job], None] = _nothing
    finish: Callable[[Job], None] = _nothing
    permission: str = ""
    queue: str = ""
    seconds: int = 0

    def message_options(self) -> dict[str, object]:
        """How Celery is to send its messages, and when to end a chunk that takes too long."""
        options: dict[str, object] = {"queue": self.queue} if self.queue else {}
        if self.seconds:
            options |= {"soft_time_limit": self.seconds, "time_limit": self.seconds + SECONDS_TO_END}
        return options


def _refuse(job: Job, *_: object) -> NoReturn:
    raise Conflict("unknown_kind", f"Jobs of the kind {job.kind!r} are not known here.")


_UNKNOWN = JobKind(name="", prepare=_refuse, work=_refuse, give_up=_refuse)
_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    """Make a kind known by its name."""
    _kinds[kind.name] = kind


def kind_of(job: Job) -> JobKind:
    """The kind of a job. All that one whose code is not installed here can do is fail."""
    return _kinds.get(job.kind, _UNKNOWN)


def cut(job: Job, total: int, size: int) -> list[Chunk]:
    """Chunks of `size` items that together hold `total`, without any input of their own."""
    return [
        Chunk(job=job, position=position, first=first, size=min(size, total - first))
        for position, first in enumerate(range(0, total, size))
    ]
