"""How many products each rule hits, and which rules contradict each other, counted over the whole catalogue."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations, islice
from typing import Any

from django.db import transaction

from classification import engine
from classification.engine import rules as matcher
from classification.models import Rule, RuleConflict
from classification.services import rules
from classification.services.engines import taxonomy_of
from classification.services.touched import ids_above
from nexus.jobs import services as jobs
from nexus.jobs.kinds import JobKind, Outcome, Step, register
from nexus.jobs.models import Chunk, Job
from products.models import Product, Taxonomy

KIND = "check_rules"
PERMISSION = "classification.change_rule"
CHUNK_SIZE = 5_000
READ_AT_ONCE = 1_000
# Of rules that all hit one product, so many are compared with each other.
COMPARED_HITS = 20
SHOWN_EXAMPLES = 5
KEPT_CONFLICTS = 1_000

Pair = tuple[int, int]


@dataclass(slots=True)
class Tally:
    """What was counted: hits by rule, and by pair of contradicting rules the products with a few examples."""

    hits: Counter[int] = field(default_factory=Counter)
    conflicts: Counter[Pair] = field(default_factory=Counter)
    examples: dict[Pair, list[int]] = field(default_factory=dict)

    def add(self, product_id: int, hits: Sequence[matcher.Rule]) -> None:
        """Count the rules that hold of one product."""
        self.hits.update(rule.id for rule in hits)
        for one, other in combinations(hits[:COMPARED_HITS], 2):
            if one.category_id != other.category_id:
                self._count((min(one.id, other.id), max(one.id, other.id)), 1, [product_id])

    def _count(self, pair: Pair, products: int, examples: Sequence[int]) -> None:
        self.conflicts[pair] += products
        kept = self.examples.setdefault(pair, [])
        kept.extend(islice(examples, SHOWN_EXAMPLES - len(kept)))

    def as_document(self) -> dict[str, Any]:
        """The tally as it is kept with its chunk."""
        return {
            "hits": list(self.hits.items()),
            "conflicts": [
                [*pair, products, self.examples[pair]] for pair, products in self.conflicts.items()
            ],
        }

    def add_document(self, document: Mapping[str, Any]) -> None:
        """Add what another chunk has counted."""
        self.hits.update(dict(document["hits"]))
        for first, second, products, examples in document["conflicts"]:
            self._count((first, second), products, examples)


def check_rules(taxonomy: Taxonomy, *, user_id: int | None) -> Job:
    """Accept a job that counts hits and conflicts of the rules in force for a taxonomy."""
    return jobs.create_job(
        kind=KIND,
        purpose=f"Check of the rules for {taxonomy}",
        parameters={"taxonomy": f"{taxonomy.code}@{taxonomy.version}"},
        user_id=user_id,
    )


def _next_step(job: Job, after: Any) -> Step:
    """Chunks of products between two ids."""
    ids, end = ids_above(Product.objects.all(), after or 0)
    parts = (ids[first : first + CHUNK_SIZE] for first in range(0, len(ids), CHUNK_SIZE))
    return Step(
        [Chunk(job=job, size=len(part), input={"from": part[0], "to": part[-1]}) for part in parts], end
    )


def _work(job: Job, chunk: Chunk) -> Outcome:
    """Count one chunk. It is kept with the chunk, so that a chunk that is done twice is counted once."""
    taxonomy = taxonomy_of(job.parameters["taxonomy"])
    ready = rules.prepared(Rule.objects.in_force(taxonomy.pk))
    tally = Tally()
    products = Product.objects.filter(pk__gte=chunk.input["from"], pk__lte=chunk.input["to"])
    for product in products.iterator(chunk_size=READ_AT_ONCE):
        tally.add(product.pk, ready.hits(engine.Text(**product.text())))
    Chunk.objects.filter(pk=chunk.pk).update(input={**chunk.input, "found": tally.as_document()})
    return Outcome(succeeded=chunk.size, failed=0)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    return Outcome(succeeded=0, failed=chunk.size)


def _finish(job: Job) -> None:
    """Write down what all chunks have counted. What was counted in part is not kept."""
    taxonomy = Taxonomy.objects.meant_by(job.parameters["taxonomy"]).first()
    if job.status != Job.Status.SUCCEEDED or taxonomy is None or job.started_at is None:
        return
    tally = Tally()
    for counted in job.chunks.values_list("input", flat=True).iterator():
        tally.add_document(counted["found"])
    _keep(tally, taxonomy, job.started_at)
    job.result = {"rules": len(tally.hits), "conflicts": len(tally.conflicts)}
    job.save(update_fields=["result"])


@transaction.atomic
def _keep(tally: Tally, taxonomy: Taxonomy, began: datetime) -> None:
    """Rules that were changed after the job had begun are left alone: they were not, or not all, counted."""
    counted = {
        rule.pk: rule
        for rule in Rule.objects.in_force(taxonomy.pk).select_for_update().order_by("pk")
        if rule.updated_at < began
    }
    for rule in counted.values():
        rule.hits, rule.hits_counted_at = tally.hits[rule.pk], began
    Rule.objects.bulk_update(counted.values(), ["hits", "hits_counted_at"], batch_size=500)
    RuleConflict.objects.filter(taxonomy=taxonomy).delete()
    RuleConflict.objects.bulk_create(
        RuleConflict(
            taxonomy=taxonomy,
            first=counted[first],
            second=counted[second],
            products=products,
            examples=tally.examples[first, second],
            counted_at=began,
        )
        for (first, second), products in tally.conflicts.most_common(KEPT_CONFLICTS)
        if first in counted and second in counted
    )


register(
    JobKind(
        name=KIND, next_step=_next_step, work=_work, give_up=_give_up, finish=_finish, permission=PERMISSION
    )
)
