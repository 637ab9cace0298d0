"""Named reads of jobs."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from nexus.jobs.models import Job  # noqa: F401 - the name of the base

SEE_ALL = "nexus_jobs.view_job"


class JobQuerySet(models.QuerySet["Job"]):
    """Reads of jobs."""

    def visible_to(self, user: Any) -> Self:
        """A user's own jobs; all of them for those who may see all."""
        return self if user.has_perm(SEE_ALL) else self.filter(created_by_id=user.pk)
