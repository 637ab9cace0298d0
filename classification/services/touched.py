"""Which products a change touches: a new rule, another classifier, a taxonomy that is not what it was."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from classification import engine
from classification.models import Classification, Classifier, Rule
from classification.services import rules
from nexus.api.errors import invalid
from products.models import Product, Taxonomy

READ_AT_ONCE = 2_000
# What is looked at in one step: about a second's work.
IDS_IN_A_STEP, TEXTS_IN_A_STEP = 50_000, 20_000
CAUSES = ("rule", "classifier", "taxonomy")


def next_ids(because: Mapping[str, Any], after: int) -> tuple[list[int], int | None]:
    """The next ids above `after` of products that a change touches, and the id to go on after; None at the end.

    `because` names one of `CAUSES`: the id of a rule or of a classifier, or the reference of a taxonomy. Raises
    Problem when there was no such change.
    """
    cause, changed = cause_of(because)
    if cause == "rule":
        return _of_rule(changed, after)
    return ids_above(_of_classifier(changed) if cause == "classifier" else _of_taxonomy(changed), after)


def ids_above(products: QuerySet[Product], after: int) -> tuple[list[int], int | None]:
    """The next ids of some products above one, and the id to go on after; None at the end."""
    found = list(products.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:IDS_IN_A_STEP])
    return found, found[-1] if len(found) == IDS_IN_A_STEP else None


class Count(NamedTuple):
    """How many products a change touches; if it is not exact, at least so many."""

    products: int
    is_exact: bool


def count(because: Mapping[str, Any]) -> Count:
    """How many products a change touches, for somebody who waits. Raises as `next_ids` does.

    A rule is tried on the first `TEXTS_IN_A_STEP` products that it could touch, the other causes are counted by the
    database.
    """
    cause, changed = cause_of(because)
    if cause == "rule":
        found, end = _of_rule(changed, 0)
        return Count(len(found), is_exact=end is None)
    touched = _of_classifier(changed) if cause == "classifier" else _of_taxonomy(changed)
    return Count(touched.count(), is_exact=True)


def cause_of(because: Mapping[str, Any]) -> tuple[str, Any]:
    """The name of the cause, and the rule, classifier or taxonomy that changed. Raises Problem (400)."""
    given = [name for name in CAUSES if because.get(name) is not None]
    if len(given) != 1:
        raise invalid("/because", "exactly_one", f"Give exactly one of: {', '.join(CAUSES)}.")
    cause = given[0]
    changed = _find(cause, because[cause])
    if changed is None:
        kind = "active classifier" if cause == "classifier" else cause
        raise invalid(f"/because/{cause}", "does_not_exist", f"There is no {kind} {because[cause]!r}.")
    return cause, changed


def _find(cause: str, reference: Any) -> Rule | Classifier | Taxonomy | None:
    if cause == "rule":
        return Rule.objects.select_related("taxonomy").filter(pk=reference).first()
    if cause == "classifier":
        active = Classifier.objects.without_artefact().filter(status=Classifier.Status.ACTIVE)
        return active.select_related("taxonomy").filter(pk=reference).first()
    return Taxonomy.objects.meant_by(reference).first()


def _of_rule(rule: Rule, after: int) -> tuple[list[int], int | None]:
    """Products that the rule answered for before, and those on which it holds now, whose category may be set."""
    free = Product.objects.without_decided_category()
    answered = Classification.objects.filter(rule=rule)
    if not rule.enabled:
        return ids_above(free.filter(pk__in=answered.values("product")), after)
    ready, read, last = rules.prepared([rule]), 0, after
    hit: set[int] = set()
    for product in free.filter(pk__gt=after).order_by("pk")[:TEXTS_IN_A_STEP].iterator(READ_AT_ONCE):
        read, last = read + 1, product.pk
        if ready.hits(engine.Text(**product.text())):
            hit.add(product.pk)
    before = answered.filter(product__gt=after, product__lte=last).values("product")
    hit.update(free.filter(pk__in=before).values_list("pk", flat=True))
    return sorted(hit), last if read == TEXTS_IN_A_STEP else None


def _of_classifier(classifier: Classifier) -> QuerySet[Product]:
    """Products with an automatic category of the taxonomy, and those that wait for a review."""
    automatic = Q(category__taxonomy=classifier.taxonomy, category_source=Product.CategorySource.AUTOMATIC)
    return Product.objects.filter(automatic | _with_open_review(classifier.taxonomy.code))


def _of_taxonomy(taxonomy: Taxonomy) -> QuerySet[Product]:
    """Products whose automatic category has changed since their last answer or is of another version of the
    taxonomy, and those that wait for a review."""
    answered_since = Exists(
        Classification.objects.filter(
            product=OuterRef("pk"),
            taxonomy=taxonomy,
            created_at__gte=OuterRef("category__updated_at"),
        )
    )
    left_behind = Q(category__taxonomy__code=taxonomy.code) & (
        ~Q(category__taxonomy=taxonomy) | Q(category__is_leaf=False) | ~Q(answered_since)
    )
    automatic = Q(category_source=Product.CategorySource.AUTOMATIC) & left_behind
    return Product.objects.filter(automatic | _with_open_review(taxonomy.code))


def _with_open_review(code: str) -> Q:
    """Products of which an answer waits for a person, in any version of a taxonomy."""
    waiting = Classification.objects.filter(taxonomy__code=code, awaits_review=True, product__isnull=False)
    return Q(pk__in=waiting.values("product"))
