"""Rules: what changes them, and what they say about products. For hits and conflicts see `rule_checks`."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from classification import engine
from classification.engine import rules as matcher
from classification.models import Classification, Review, Rule, RuleConflict
from nexus.api.database import refusal
from nexus.api.errors import Conflict, Problem, invalid, pointer_of
from products.models import Category, Product

logger = logging.getLogger(__name__)

NAME_UNIQUE = "classification_rule_name_unique"
MAX_RULES = 5_000
# Products that are looked at while somebody waits.
SAMPLE = 20_000
SHOWN_PRODUCTS = 50
KEPT_IN_MEMORY = 16
# Laplace's rule of succession, with the promise in the place of one half: as if two answers had been seen before.
PRIOR_ANSWERS = 2


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules in force for a taxonomy, ready to be tried, and how they have done so far."""

    rules: matcher.RuleSet
    reviewed: Mapping[int, tuple[int, int]]

    def precision(self, rule_id: int, promised: float) -> float:
        """The share of a rule's answers that is right: as far as reviewers have seen, and else as promised."""
        accepted, corrected = self.reviewed[rule_id]
        return expected_precision(accepted, accepted + corrected, promised)


def expected_precision(right: int, seen: int, promised: float) -> float:
    """The mean of a beta distribution that starts at the promise with the weight of two answers."""
    return (right + PRIOR_ANSWERS * promised) / (seen + PRIOR_ANSWERS)


# By taxonomy, with the revision of its rules.
_rulebooks: OrderedDict[int, tuple[int, Rulebook]] = OrderedDict()
_lock = Lock()


def rulebook(taxonomy_id: int, revision: int) -> Rulebook | None:
    """The rules of a taxonomy at a revision; one query where this process has not read them yet. None without any."""
    if not revision:
        return None
    with _lock:
        known = _rulebooks.get(taxonomy_id)
    if known is None or known[0] != revision:
        # What is read now is at least as new as the revision, which was read before.
        known = (revision, _read(taxonomy_id))
        with _lock:
            _rulebooks[taxonomy_id] = known
            _rulebooks.move_to_end(taxonomy_id)
            while len(_rulebooks) > KEPT_IN_MEMORY:
                _rulebooks.popitem(last=False)
    return known[1] if len(known[1].rules) else None


def _read(taxonomy_id: int) -> Rulebook:
    rows = list(Rule.objects.in_force(taxonomy_id))
    return Rulebook(prepared(rows), {row.pk: (row.accepted, row.corrected) for row in rows})


def prepared(rows: Iterable[Rule]) -> matcher.RuleSet:
    """Rules ready to be tried. One that is no rule any more stops none of the others."""
    return matcher.RuleSet(rule for row in rows if (rule := _as_rule(row)) is not None)


def _as_rule(row: Rule) -> matcher.Rule | None:
    conditions = conditions_of(row.conditions)
    try:
        matcher.check(conditions)
    except matcher.RuleError as error:
        logger.error("A rule cannot be used", extra={"rule": row.pk, "reason": str(error)})
        return None
    return matcher.Rule(row.pk, row.name, row.category_id or 0, conditions, row.position)


def conditions_of(documents: Iterable[Mapping[str, Any]]) -> tuple[matcher.Condition, ...]:
    """Conditions as they are stored, as the matcher takes them."""
    return tuple(matcher.Condition(**document) for document in documents)


def check_conditions(documents: Sequence[Mapping[str, Any]]) -> None:
    """Raise Problem (400), with the place of the mistake, for conditions that mean nothing."""
    if not 1 <= len(documents) <= matcher.MAX_CONDITIONS:
        raise invalid("/conditions", "length", f"A rule has 1 to {matcher.MAX_CONDITIONS} conditions.")
    try:
        matcher.check(conditions_of(documents))
    except matcher.RuleError as error:
        place = pointer_of("conditions", *error.place.split("/"))
        raise invalid(place, "invalid_condition", str(error)) from None
    except TypeError:
        raise invalid("/conditions", "invalid_condition", "A condition has field, operator, value.") from None


@transaction.atomic
def create_rule(fields: Mapping[str, Any], *, user_id: int | None) -> Rule:
    """Save a rule: `taxonomy`, `name`, `conditions`, and `category_id`, `position`, `enabled` where given.

    Raises Conflict ``name_taken`` or ``too_many_rules``, and Problem (400) for conditions that mean nothing and for a
    category that the taxonomy does not have.
    """
    rule = Rule(**fields, created_by_id=user_id)
    check_conditions(rule.conditions)
    _check_category(rule)
    if Rule.objects.filter(taxonomy=rule.taxonomy_id).count() >= MAX_RULES:
        raise Conflict("too_many_rules", f"A taxonomy has at most {MAX_RULES} rules.")
    with refusal(NAME_UNIQUE, _name_taken(rule)):
        rule.save(force_insert=True)
    return rule


@transaction.atomic
def update_rule(rule: Rule, changes: Mapping[str, Any]) -> Rule:
    """Change fields of a rule. Call it with the row locked; raises as `create_rule` does.

    A rule that says something else is another one: what was counted of it so far is forgotten.
    """
    changed = {name for name, value in changes.items() if getattr(rule, name) != value}
    if not changed:
        return rule
    for name in changed:
        setattr(rule, name, changes[name])
    check_conditions(rule.conditions)
    # The category is held only when it is a new one: who deletes the old one waits for the rule, not we for them.
    if "category_id" in changed:
        _check_category(rule)
    if rule.enabled:
        _check_can_answer(rule)
        rule.disabled_reason = ""
    if {"conditions", "category_id"} & changed:
        rule.hits = rule.hits_counted_at = None
        rule.accepted = rule.corrected = 0
    if changed - {"name", "position"}:
        RuleConflict.objects.filter(Q(first=rule) | Q(second=rule)).delete()
    with refusal(NAME_UNIQUE, _name_taken(rule)):
        rule.save()
    return rule


def delete_rule(rule: Rule) -> None:
    """Delete a rule; its history and its answers stay."""
    rule.delete()


def _check_category(rule: Rule) -> None:
    if rule.category_id is None:
        _check_can_answer(rule)
        return
    category = Category.objects.held([rule.category_id]).get(rule.category_id)
    if category is None or category.taxonomy_id != rule.taxonomy_id:
        detail = f"The taxonomy of this rule has no category {rule.category_id}."
        raise invalid("/category_id", "does_not_exist", detail)


def _check_can_answer(rule: Rule) -> None:
    if rule.enabled and rule.category_id is None:
        raise invalid("/category_id", "required", "A rule that is enabled has a category.")


def _name_taken(rule: Rule) -> Problem:
    detail = f"The taxonomy has a rule with the name {rule.name!r} already."
    return Conflict(
        "name_taken", detail, errors=[{"pointer": "/name", "code": "name_taken", "detail": detail}]
    )


def count_review(answer: Classification, decision: str) -> None:
    """Count for a rule whether a reviewer found its answer right. Call it in the transaction of the review."""
    if answer.rule_id is None:
        return
    counter = "accepted" if decision == Review.Decision.ACCEPT else "corrected"
    Rule.objects.filter(pk=answer.rule_id).update(**{counter: F(counter) + 1})


def sample(conditions: Sequence[matcher.Condition]) -> dict[str, Any]:
    """Which of the newest products conditions hold of: `looked_at` and `hits` (numbers), and the first `products`."""
    rules = matcher.RuleSet([matcher.Rule(0, "", 0, tuple(conditions))])
    products = Product.objects.order_by("-id")[:SAMPLE]
    found = {
        product.pk: bool(rules.hits(engine.Text(**product.text()))) for product in products.iterator(2_000)
    }
    hits = [pk for pk, is_hit in found.items() if is_hit]
    shown = Product.objects.select_related("category__taxonomy").in_bulk(hits[:SHOWN_PRODUCTS])
    return {
        "looked_at": len(found),
        "hits": len(hits),
        "products": [shown[pk] for pk in hits[:SHOWN_PRODUCTS] if pk in shown],
    }
