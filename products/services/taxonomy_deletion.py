"""Deleting a whole taxonomy: at once, or by a job where that takes longer than anybody waits for."""

from collections.abc import Iterable

from django.conf import settings
from django.db import connection, transaction

from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, cut, register
from nexus.jobs.models import Chunk, Job
from products.models import Taxonomy
from products.services import taxonomies

KIND = "delete_taxonomy"
PERMISSION = "products.delete_taxonomy"
# A second's work.
MANY_CATEGORIES = 5_000
MANY_HANGING = 100_000

# What PostgreSQL has gathered of the tables that refer to taxonomies, since to count their rows takes as long as to
# delete some of them.
_HANGING = """
SELECT coalesce(max(reltuples), 0) FROM pg_class JOIN pg_constraint ON conrelid = pg_class.oid
WHERE contype = 'f' AND confrelid = 'products_taxonomy'::regclass AND conrelid <> 'products_category'::regclass
"""


def delete(taxonomy: Taxonomy, *, user_id: int | None) -> Job | None:
    """Delete a taxonomy with its categories and all that hangs on them, or accept the job that does.

    Raises Conflict ``in_use`` while products are classified by it. Call it in a transaction, with the row locked.
    """
    if not _is_large(taxonomy):
        taxonomies.delete_taxonomy(taxonomy)
        return None
    taxonomies.check_unused(taxonomy)
    parameters = {"taxonomy": taxonomy.pk, "name": str(taxonomy)}
    under_way = Job.objects.filter(kind=KIND, parameters=parameters, status__in=Job.ACTIVE)
    return under_way.filter(cancel_requested_at=None).first() or jobs.create_job(
        kind=KIND, purpose=f"Deletion of {taxonomy}", parameters=parameters, user_id=user_id, total=1
    )


def _is_large(taxonomy: Taxonomy) -> bool:
    if taxonomy.categories.order_by()[: MANY_CATEGORIES + 1].count() > MANY_CATEGORIES:
        return True
    with connection.cursor() as cursor:
        cursor.execute(_HANGING)
        return bool(cursor.fetchone()[0] > MANY_HANGING)


def _prepare(job: Job) -> Iterable[Chunk]:
    return cut(job, 1, 1)


def _work(job: Job, chunk: Chunk) -> Outcome:
    """Delete it in one transaction, so that nobody sees half a taxonomy; one that is gone is gone."""
    with transaction.atomic():
        if Taxonomy.objects.filter(pk=job.parameters["taxonomy"]).exists():
            taxonomies.delete_taxonomy(taxonomies.lock(job.parameters["taxonomy"]))
    return Outcome(succeeded=1, failed=0)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=1)


register(
    JobKind(
        name=KIND,
        prepare=_prepare,
        work=_work,
        give_up=_give_up,
        permission=PERMISSION,
        queue=settings.BULK_QUEUE,
    )
)
