"""What of classification goes along when a taxonomy's products are carried over to another version.

Rules and reviewers' decisions about texts are copied along the mappings: those of the version before stay with it, so
that going back is going back to them. Afterwards a classifier is trained from the labels that were carried.
"""

from collections import Counter
from typing import Any

from django.db import connection

from classification.models import Classifier, Policy, Precedent, Rule
from classification.services import activation, examples, training
from classification.services.rules import MAX_RULES
from nexus.api.errors import Problem
from nexus.jobs.models import Job
from products.models import Taxonomy
from products.services import carrying, taxonomies
from products.services.carrying import Carrier, Way

SHOWN = 1_000
COPIED_OF_RULES = ("name", "conditions", "position", "enabled", "disabled_reason")
COPIED_OF_POLICIES = (
    "promised_precision",
    "audit_share",
    "retrain_after_decisions",
    "retrain_cron",
    "activation",
)

_COPY_PRECEDENTS = """
WITH goal AS (SELECT unnest(%(sources)s::bigint[]) AS source, unnest(%(targets)s::bigint[]) AS target)
INSERT INTO classification_precedent
    (taxonomy_id, exact, near, category_id, is_right, agreed, review_id, decided_at)
SELECT %(taxonomy)s, exact, near, goal.target, is_right, agreed, review_id, decided_at
FROM classification_precedent precedent JOIN goal ON goal.source = precedent.category_id
WHERE precedent.taxonomy_id = %(source)s
ORDER BY decided_at DESC, precedent.id DESC
ON CONFLICT DO NOTHING
"""


def carry_rules(way: Way, user_id: int | None) -> dict[str, Any]:
    """Copy the rules of a version. Those that lead nowhere are told; a name that is there already is left alone."""
    rules = list(Rule.objects.filter(taxonomy=way.source).order_by("position", "id"))
    goals = way.goals({rule.category_id for rule in rules if rule.category_id})
    known = set(Rule.objects.filter(taxonomy=way.target).values_list("name", flat=True))
    copies, left = [], []
    for rule in rules:
        goal = goals[rule.category_id].target if rule.category_id else None
        if goal is None:
            reason = goals[rule.category_id].reason if rule.category_id else "no_category"
            left.append({"id": rule.pk, "name": rule.name, "reason": reason})
        elif rule.name not in known:
            copies.append(_copy(rule, way.target, goal, user_id))
    room = max(0, MAX_RULES - len(known))
    left += [{"id": None, "name": rule.name, "reason": "too_many_rules"} for rule in copies[room:]]
    Rule.objects.bulk_create(copies[:room], batch_size=500)
    return {"carried": len(rules) - len(left), "left": len(left), "details": left[:SHOWN]}


def _copy(rule: Rule, taxonomy: Taxonomy, category_id: int, user_id: int | None) -> Rule:
    copied = {name: getattr(rule, name) for name in COPIED_OF_RULES}
    return Rule(**copied, taxonomy=taxonomy, category_id=category_id, created_by_id=user_id)


def carry_precedents(way: Way, user_id: int | None) -> dict[str, Any]:
    """Copy what reviewers decided about texts, the newest decision first where two lead to the same."""
    precedents = Precedent.objects.filter(taxonomy=way.source).order_by()
    counts = Counter(precedents.values_list("category_id", flat=True).iterator(chunk_size=10_000))
    goals = way.goals(counts)
    targets = {pk: goal.target for pk, goal in goals.items() if goal.target is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _COPY_PRECEDENTS,
            {
                "sources": list(targets),
                "targets": list(targets.values()),
                "source": way.source.pk,
                "taxonomy": way.target.pk,
            },
        )
    details = [
        {"category_id": pk, "decisions": counts[pk], "reason": goal.reason}
        for pk, goal in goals.items()
        if goal.target is None
    ]
    left = sum(counts[pk] for pk, goal in goals.items() if goal.target is None)
    return {"carried": counts.total() - left, "left": left, "details": details[:SHOWN]}


def train_from_carried(source: Taxonomy, target: Taxonomy, job: Job, **_: Any) -> dict[str, Any]:
    """Give a version the policy of the one before, and begin to train its classifier."""
    before = Policy.objects.filter(taxonomy=source).first()
    if before is not None:
        copied = {name: getattr(before, name) for name in COPIED_OF_POLICIES}
        Policy.objects.get_or_create(taxonomy=target, defaults=copied)
    if not examples.are_there(target):
        return {"classifier": {"reason": "There are no labels to learn from."}}
    try:
        classifier = training.train(target, user_id=job.created_by_id, why=f"with the labels of {source}")
    except Problem as problem:
        return {"classifier": {"reason": str(problem.detail)}}
    return {"classifier": {"id": classifier.pk, "version": classifier.version}}


def activate_trained(taxonomy: Taxonomy, **_: Any) -> None:
    """When a version becomes current, let its newest trained classifier answer, unless a trained one does."""
    active = Classifier.objects.active_of(taxonomy)
    if active is not None and active.training_size:
        return
    trained = Classifier.objects.without_artefact().filter(
        taxonomy=taxonomy, status=Classifier.Status.CANDIDATE, training_size__gt=0
    )
    newest = trained.select_related("taxonomy").order_by("-version").first()
    if newest is not None:
        activation.activate(newest, user_id=None, reason=activation.Reason.RULE)


def register() -> None:
    """Go along with products from now on."""
    carrying.register(
        Carrier("rules", lambda taxonomy: Rule.objects.filter(taxonomy=taxonomy).count(), carry_rules)
    )
    carrying.register(
        Carrier(
            "decisions",
            lambda taxonomy: Precedent.objects.filter(taxonomy=taxonomy).count(),
            carry_precedents,
        )
    )
    carrying.carried.connect(train_from_carried)
    taxonomies.made_current.connect(activate_trained)
