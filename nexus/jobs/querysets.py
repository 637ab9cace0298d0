"""Named reads of jobs and their chunks."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from nexus.jobs.models import Chunk, File, Job  # noqa: F401 - the names of the bases

SEE_ALL = "nexus_jobs.view_job"


class JobQuerySet(models.QuerySet["Job"]):
    """Reads of jobs."""

    def visible_to(self, user: Any) -> Self:
        """A user's own jobs; all of them for those who may see all."""
        return self if user.has_perm(SEE_ALL) else self.filter(created_by_id=user.pk)


class ChunkQuerySet(models.QuerySet["Chunk"]):
    """Reads of the chunks of a job, by the index of those that are open."""

    def open_of(self, job: Any) -> Self:
        """Those that are neither done nor set aside."""
        return self.filter(job=job, status__in=["pending", "running"])

    def next_of(self, job: Any) -> Self:
        """Those that wait for a worker, first things first, locked; those that others look at are passed over."""
        return self.filter(job=job, status="pending").order_by("position").select_for_update(skip_locked=True)

    def unoffered_of(self, job: Any, now: datetime) -> Self:
        """Those of `next_of` that no message speaks of."""
        return self.next_of(job).filter(Q(offered_until=None) | Q(offered_until__lt=now))

    def underway_of(self, job: Any, now: datetime) -> Self:
        """Those that a worker is at, or that a message speaks of."""
        return self.open_of(job).filter(Q(status="running") | Q(offered_until__gte=now))


class FileQuerySet(models.QuerySet["File"]):
    """Reads of the files of jobs."""

    def downloadable(self) -> Self:
        """Those that are whole, and meant for people."""
        return self.exclude(role="work").exclude(sha256="")
