"""What jobs do: every kind of job registers itself here, so that this room knows none of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, NoReturn

from django.conf import settings

from nexus.api.errors import Conflict
from nexus.jobs.models import Chunk, Job

# Between being asked to end and being killed.
SECONDS_TO_END = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many items of a chunk came out well, and how many did not."""

    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of a preparation found: chunks, and where the next step goes on; None when there is none."""

    chunks: Iterable[Chunk]
    after: Any


def _nothing(job: Job) -> None:
    """For kinds that need nothing done."""


def _no_chunks(job: Job) -> Iterable[Chunk]:
    """For kinds whose jobs are prepared step by step."""
    return ()


def _no_permissions(job: Job) -> Iterable[str]:
    """For kinds whose jobs all need the same."""
    return ()


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of long work.

    `prepare(job)` gives the chunks that the job is cut into, unsaved; they are saved in one transaction.
    `next_step(job, after)` is there instead where a job may have millions of items: it gives the chunks of the next
    second or so and the place, as JSON, where the step after it goes on (`after` of the first step is None). Their
    positions follow from their order.
    `work(job, chunk)` does the items of a chunk. It may be called again for a chunk that it has done in part or in
    whole, by another worker, even at the same time; doing so must change nothing more (a unique key for each result).
    `give_up(job, chunk, reason)` records the items of a chunk that could not be done, and returns their outcome.
    `before_retry(job)` forgets the failures, so that `work` takes them up again.
    `finish(job)` runs in the transaction that ends the job, however it ended.
    `permission` is what its owner needs whenever a step of a job begins, and whoever cancels or retries it; any role
    will do when it is empty. `further_permissions(job)` are needed besides, where what a job does decides it.
    `queue` names the queue of the workers that do it, where that does not follow from its size, and `seconds` is how
    long a chunk may take, where that is longer than the common limit.
    """

    name: str
    work: Callable[[Job, Chunk], Outcome]
    give_up: Callable[[Job, Chunk, str], Outcome]
    prepare: Callable[[Job], Iterable[Chunk]] = _no_chunks
    next_step: Callable[[Job, Any], Step] | None = None
    before_retry: Callable[[Job], None] = _nothing
    finish: Callable[[Job], None] = _nothing
    permission: str = ""
    further_permissions: Callable[[Job], Iterable[str]] = _no_permissions
    queue: str = ""
    seconds: int = 0

    def queue_of(self, job: Job) -> str:
        """The queue of a job: its kind's, else that of work that people wait for when it is small."""
        return self.queue or (settings.INTERACTIVE_QUEUE if job.is_small else settings.BULK_QUEUE)

    def is_allowed_to(self, user: Any, job: Job) -> bool:
        """Whether a user may have a job of the kind done: is active, and has roles that allow it."""
        needed = {self.permission, *self.further_permissions(job)} - {""}
        return bool(user.is_active and user.roles and user.has_perms(needed))


def _refuse(job: Job, *_: object) -> NoReturn:
    raise Conflict("unknown_kind", f"Jobs of the kind {job.kind!r} are not known here.")


_UNKNOWN = JobKind(name="", work=_refuse, give_up=_refuse, prepare=_refuse)
_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    """Make a kind known by its name."""
    _kinds[kind.name] = kind


def kind_of(job: Job) -> JobKind:
    """The kind of a job. All that one whose code is not installed here can do is fail."""
    return _kinds.get(job.kind, _UNKNOWN)


def known() -> list[JobKind]:
    """All kinds, by name."""
    return sorted(_kinds.values(), key=lambda kind: kind.name)


def message_options(job: Job) -> dict[str, object]:
    """To which queue Celery is to send the message of a job, and when to end a chunk that takes too long."""
    kind = kind_of(job)
    options: dict[str, object] = {"queue": kind.queue_of(job)}
    if kind.seconds:
        options |= {"soft_time_limit": kind.seconds, "time_limit": kind.seconds + SECONDS_TO_END}
    return options


def chunks_of(job: Job, values: Iterable[Any], size: int, name: str) -> Iterator[Chunk]:
    """Chunks over values of any number, each with up to `size` of them in its input under a name.

    Only one chunk at a time is held in memory.
    """
    remaining, first = iter(values), 0
    for position in count():
        part = list(islice(remaining, size))
        if not part:
            return
        yield Chunk(job=job, position=position, first=first, size=len(part), input={name: part})
        first += len(part)


def cut(job: Job, total: int, size: int) -> list[Chunk]:
    """Chunks of `size` items that together hold `total`, without any input of their own."""
    return [
        Chunk(job=job, position=position, first=first, size=min(size, total - first))
        for position, first in enumerate(range(0, total, size))
    ]
