"""Steps from the categories of one taxonomy to those of another: proposed, decided, followed one after the other."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from nexus.api.database import lock_name, refusal
from nexus.api.errors import Conflict, NotFound, invalid
from products.models import Category, CategoryMapping, Taxonomy

PERMISSION = "products.change_categorymapping"
STEP_UNIQUE = "products_categorymapping_step_unique"
ONE_REMOVAL = "products_categorymapping_one_removal"
Basis = CategoryMapping.Basis
Pair = tuple[int, int]

_PROPOSE = """
INSERT INTO products_categorymapping
    (source_taxonomy_id, target_taxonomy_id, source_id, target_id, kind, basis, is_decided, created_at)
SELECT source.taxonomy_id, target.taxonomy_id, source.id, target.id, 'same', %(basis)s, {decided}, %(now)s
FROM products_category source
    JOIN products_category target ON target.taxonomy_id = %(target)s AND {same}
    LEFT JOIN products_category above_source ON above_source.id = source.parent_id
    LEFT JOIN products_category above_target ON above_target.id = target.parent_id
WHERE source.taxonomy_id = %(source)s AND NOT EXISTS (
    SELECT FROM products_categorymapping known
    WHERE known.source_id = source.id AND known.target_taxonomy_id = %(target)s
)
ON CONFLICT DO NOTHING
"""
# A name says which category it is when no other of its taxonomy has it.
_ALONE = """lower(source.name) IN (
    SELECT lower(name) FROM products_category WHERE taxonomy_id = %(source)s GROUP BY 1 HAVING count(*) = 1
    INTERSECT SELECT lower(name) FROM products_category WHERE taxonomy_id = %(target)s GROUP BY 1 HAVING count(*) = 1
)"""
# The code of a category whose name and parent are both others may have been given to another thing.
_PROPOSALS: dict[Basis, tuple[str, str]] = {
    Basis.CODE: (
        "target.code = source.code",
        "source.name = target.name OR above_source.code IS NOT DISTINCT FROM above_target.code",
    ),
    Basis.PATH: ("lower(target.path) = lower(source.path)", "true"),
    Basis.NAME: (f"lower(target.name) = lower(source.name) AND {_ALONE}", "false"),
}

# Windows look at all steps of the pair, of which only those that differ are written.
_SETTLE = """
WITH known AS (
    SELECT step.id,
        CASE
            WHEN step.target_id IS NULL THEN 'removed'
            WHEN count(*) OVER (PARTITION BY step.source_id) > 1 THEN 'split'
            WHEN count(*) OVER (PARTITION BY step.target_id) > 1 THEN 'merged'
            WHEN CASE WHEN %(same_code)s
                THEN above_source.code IS DISTINCT FROM above_target.code
                ELSE lower(above_source.path) IS DISTINCT FROM lower(above_target.path) END THEN 'moved'
            WHEN source.name <> target.name THEN 'renamed'
            ELSE 'same'
        END AS kind
    FROM products_categorymapping step
        JOIN products_category source ON source.id = step.source_id
        LEFT JOIN products_category target ON target.id = step.target_id
        LEFT JOIN products_category above_source ON above_source.id = source.parent_id
        LEFT JOIN products_category above_target ON above_target.id = target.parent_id
    WHERE step.source_taxonomy_id = %(source)s AND step.target_taxonomy_id = %(target)s
)
UPDATE products_categorymapping step SET kind = known.kind
FROM known WHERE step.id = known.id AND step.kind <> known.kind
"""


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a category leads: exactly one target, or none and why."""

    target: int | None
    reason: str = ""


UNDECIDED, NO_TARGET, REMOVED, SPLIT = "undecided", "no_target", "removed", "split"


@transaction.atomic
def propose(source: Taxonomy, target: Taxonomy) -> dict[str, int]:
    """Add steps for the categories that have none yet: by code (within one taxonomy), by path, and by a name that is
    unique on both sides; the last only as a suggestion. Says how many of each. What is there already stays.
    """
    _lock_pair(source, target)
    bases = [basis for basis in _PROPOSALS if basis != Basis.CODE or source.code == target.code]
    counts = {str(basis): 0 for basis in _PROPOSALS}
    for basis in bases:
        counts[basis] = _propose(source, target, basis)
    settle(source, target)
    return counts


def _propose(source: Taxonomy, target: Taxonomy, basis: Basis) -> int:
    same, decided = _PROPOSALS[basis]
    values: dict[str, Any] = {
        "source": source.pk,
        "target": target.pk,
        "basis": basis.value,
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PROPOSE.format(same=same, decided=decided), values)
        return int(cursor.rowcount)


def _lock_pair(source: Taxonomy, target: Taxonomy) -> None:
    """Let one transaction at a time change the steps between two taxonomies. Raises Problem (400) for one taxonomy."""
    if source.pk == target.pk:
        raise invalid("/target", "same_taxonomy", "A taxonomy is mapped to another, or to another version.")
    lock_name(f"mapping {source.pk} {target.pk}")


def settle(source: Taxonomy, target: Taxonomy) -> None:
    """Work out the kinds of all steps between two taxonomies again."""
    values = {"source": source.pk, "target": target.pk, "same_code": source.code == target.code}
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, values)


@transaction.atomic
def decide(
    source: Category, target: Category | None, target_taxonomy: Taxonomy, *, user_id: int | None
) -> CategoryMapping:
    """Keep what a person decided about a category: a target of it, or that nothing takes its place.

    Suggestions for the category go. Raises Conflict ``step_taken``, and Problem (400) for a target elsewhere.
    """
    _lock_pair(source.taxonomy, target_taxonomy)
    _check_target(target, target_taxonomy)
    return _settled(_decide(source, target, target_taxonomy, user_id))


class Decided(NamedTuple):
    """How many steps a person decided that were not so before, and how many are taken back with that."""

    kept: int
    taken_back: int


@transaction.atomic
def decide_all(
    source: Taxonomy,
    target: Taxonomy,
    decisions: Iterable[tuple[Category, Category | None]],
    *,
    user_id: int | None,
) -> Decided:
    """Keep what a person decided about many categories, as `decide` does, and correct what was decided before.

    The decided steps of a category that is named are those that are given, and no others. All is kept, or nothing.
    """
    _lock_pair(source, target)
    aims: dict[Category, dict[Category | None, None]] = {}
    for one, other in decisions:
        _check_target(other, target)
        aims.setdefault(one, {})[other] = None
    corrected = [_correct(one, list(those), target, user_id) for one, those in aims.items()]
    settle(source, target)
    return Decided(sum(one.kept for one in corrected), sum(one.taken_back for one in corrected))


def _correct(
    source: Category, aims: Sequence[Category | None], target_taxonomy: Taxonomy, user_id: int | None
) -> Decided:
    steps = {
        step.target: step
        for step in CategoryMapping.objects.filter(source=source, target_taxonomy=target_taxonomy)
        .select_related("target")
        .order_by("id")
    }
    wrong = [step for aim, step in steps.items() if step.is_decided and aim not in aims]
    new = [aim for aim in aims if aim not in steps or not steps[aim].is_decided]
    for step in wrong:
        step.delete()
    for aim in new:
        if aim in steps:
            _change(steps[aim], aim, user_id)
        else:
            _decide(source, aim, target_taxonomy, user_id)
    return Decided(len(new), len(wrong))


def _decide(
    source: Category, target: Category | None, target_taxonomy: Taxonomy, user_id: int | None
) -> CategoryMapping:
    step = CategoryMapping(
        source_taxonomy_id=source.taxonomy_id,
        target_taxonomy=target_taxonomy,
        source=source,
        target=target,
        **_decision(target, user_id),
    )
    _suggestions(step).delete()
    with refusal(STEP_UNIQUE, _taken()), refusal(ONE_REMOVAL, _taken()):
        step.save(force_insert=True)
    return step


@transaction.atomic
def change(step: CategoryMapping, target: Category | None, *, user_id: int | None) -> CategoryMapping:
    """Confirm a suggestion, or give a step another target, as a person decided. Raises as `decide` does."""
    if step.is_decided and step.target == target:
        return step
    _lock_pair(step.source_taxonomy, step.target_taxonomy)
    _check_target(target, step.target_taxonomy)
    return _settled(_change(step, target, user_id))


def _change(step: CategoryMapping, target: Category | None, user_id: int | None) -> CategoryMapping:
    _suggestions(step).exclude(pk=step.pk).delete()
    step.target = target
    for name, value in _decision(target, user_id).items():
        setattr(step, name, value)
    with refusal(STEP_UNIQUE, _taken()), refusal(ONE_REMOVAL, _taken()):
        step.save()
    return step


@transaction.atomic
def forget(step: CategoryMapping) -> None:
    """Delete a step."""
    source, target = step.source_taxonomy, step.target_taxonomy
    _lock_pair(source, target)
    step.delete()
    settle(source, target)


def _decision(target: Category | None, user_id: int | None) -> dict[str, Any]:
    kind = CategoryMapping.Kind.SAME if target else CategoryMapping.Kind.REMOVED
    return {
        "kind": kind,
        "basis": Basis.PERSON,
        "confidence": None,
        "is_decided": True,
        "decided_by_id": user_id,
        "decided_at": timezone.now(),
    }


def _check_target(target: Category | None, taxonomy: Taxonomy) -> None:
    if target is not None and target.taxonomy_id != taxonomy.pk:
        raise invalid("/target", "other_taxonomy", f"The category {target.pk} is not one of {taxonomy}.")


def _suggestions(step: CategoryMapping) -> Any:
    return CategoryMapping.objects.filter(
        source=step.source_id, target_taxonomy=step.target_taxonomy_id, is_decided=False
    )


def _taken() -> Conflict:
    return Conflict("step_taken", "The category leads there already.")


def _settled(step: CategoryMapping) -> CategoryMapping:
    settle(step.source_taxonomy, step.target_taxonomy)
    step.refresh_from_db(fields=["kind"])
    return step


def way(source: Taxonomy, target: Taxonomy) -> list[Pair]:
    """The shortest chain of mapped pairs from one taxonomy to another, by ids. Raises NotFound when there is none."""
    pairs = CategoryMapping.objects.filter(is_decided=True).order_by()
    after: dict[int, list[int]] = {}
    for one, next_one in pairs.values_list("source_taxonomy", "target_taxonomy").distinct():
        after.setdefault(one, []).append(next_one)
    came_from: dict[int, int | None] = {source.pk: None}
    waiting = deque([source.pk])
    while waiting and target.pk not in came_from:
        at = waiting.popleft()
        for next_one in sorted(after.get(at, ())):
            if next_one not in came_from:
                came_from[next_one] = at
                waiting.append(next_one)
    if target.pk not in came_from or source.pk == target.pk:
        raise NotFound("no_mapping", f"No mapping leads from {source} to {target}: propose one.")
    return _back(came_from, target.pk)


def _back(came_from: Mapping[int, int | None], at: int) -> list[Pair]:
    pairs: list[Pair] = []
    while (before := came_from[at]) is not None:
        pairs.append((before, at))
        at = before
    return pairs[::-1]


def goals(steps: Sequence[Pair], sources: Collection[int]) -> dict[int, Goal]:
    """Where each of some categories leads along a chain of pairs; one query a pair."""
    found: dict[int, Goal] = {}
    reached: dict[int, set[int]] = {source: {source} for source in sources}
    for pair in steps:
        after = _steps_from(pair, {at for those in reached.values() for at in those})
        for source, those in list(reached.items()):
            goal = _next(those, after)
            if isinstance(goal, Goal):
                found[source] = goal
                del reached[source]
            else:
                reached[source] = goal
    for source, those in reached.items():
        found[source] = Goal(next(iter(those))) if len(those) == 1 else Goal(None, SPLIT)
    return found


def _next(those: set[int], after: Mapping[int, set[int | None] | None]) -> set[int] | Goal:
    """The categories one step on, or why there is none."""
    ahead: set[int] = set()
    for at in those:
        if at not in after:
            return Goal(None, NO_TARGET)
        targets = after[at]
        if targets is None:
            return Goal(None, UNDECIDED)
        ahead |= {target for target in targets if target is not None}
    return ahead or Goal(None, REMOVED)


def _steps_from(pair: Pair, at: Collection[int]) -> dict[int, set[int | None] | None]:
    """The decided targets of some categories; None where there are only suggestions."""
    after: dict[int, set[int | None] | None] = {}
    steps = CategoryMapping.objects.filter(
        source_taxonomy=pair[0], target_taxonomy=pair[1], source__in=list(at)
    ).order_by()
    for source, target, is_decided in steps.values_list("source", "target", "is_decided"):
        targets = after.setdefault(source, None)
        if is_decided:
            after[source] = (targets or set()) | {target}
    return after
