"""Loading a whole taxonomy at once, and proving that one is sound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from nexus.api.errors import invalid
from products.models import Category, Taxonomy
from products.services import taxonomies
from products.tree import DERIVED_FIELDS, places, set_place

BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A category as a file gives it: its parent by code, an empty one at the root."""

    code: str
    name: str
    parent: str = ""
    keywords: Sequence[str] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something about a category that does not follow from its parents as it ought to."""

    category: Category
    problem: str

    def __str__(self) -> str:
        return f"{self.category.code}: {self.problem}"


@transaction.atomic
def load_taxonomy(
    code: str,
    version: str,
    name: str,
    rows: Iterable[CategoryRow],
    *,
    description: str = "",
    language: str = "en",
) -> Taxonomy:
    """Make a taxonomy hold the categories of `rows`: unknown ones (by code) are added, others brought up to date.

    A parent may come after its children. Categories that `rows` does not name stay as they are, and a second run
    with the same rows writes nothing. Raises Problem (400) at ``/<row>`` for a code that comes twice, a parent that
    does not exist, or parents in a circle.
    """
    taxonomy = taxonomies.lock(_taxonomy(code, version, name, description, language).pk)
    rows = list(rows)
    tree = {category.code: category for category in Category.objects.filter(taxonomy=taxonomy)}
    added = _added(taxonomy, rows, tree)
    tree |= added
    changed = {row.code for index, row in enumerate(rows) if _apply(row, tree, index)}
    changed |= _replaced(tree, rows)
    Category.objects.bulk_create(added.values(), batch_size=BATCH_SIZE)
    _save_changed(
        [tree[code] for code in sorted(changed - added.keys())],
        ["parent", "name", "description", "keywords", *DERIVED_FIELDS],
    )
    if changed:
        taxonomies.bump(taxonomy.pk)
    return taxonomy


def _save_changed(categories: Sequence[Category], fields: Sequence[str]) -> None:
    """Save some fields, and when: `bulk_update` leaves the time as it is."""
    now = timezone.now()
    for category in categories:
        category.updated_at = now
    Category.objects.bulk_update(categories, [*fields, "updated_at"], batch_size=BATCH_SIZE)


def faults(taxonomy: Taxonomy) -> list[Fault]:
    """Everything in a tree that does not follow from its parent links; an empty list proves it sound."""
    categories = list(Category.objects.filter(taxonomy=taxonomy).order_by("id"))
    where = places(categories)
    found = []
    for category in categories:
        place = where.get(category.pk)
        if place is None:
            found.append(Fault(category, "its parents go round in a circle"))
            continue
        for name in DERIVED_FIELDS:
            actual, expected = getattr(category, name), getattr(place, name)
            if actual != expected:
                found.append(Fault(category, f"{name} is {actual!r} and ought to be {expected!r}"))
    return found


@transaction.atomic
def repair(taxonomy: Taxonomy) -> int:
    """Derive every field of a tree from its parent links again; say how many categories that changed.

    A circle of parents cannot be repaired like this and stays.
    """
    taxonomies.lock(taxonomy.pk)
    categories = list(Category.objects.filter(taxonomy=taxonomy))
    where = places(categories)
    wrong = [one for one in categories if one.pk in where and set_place(one, where[one.pk])]
    _save_changed(wrong, DERIVED_FIELDS)
    if wrong:
        taxonomies.bump(taxonomy.pk)
    return len(wrong)


def _taxonomy(code: str, version: str, name: str, description: str, language: str) -> Taxonomy:
    has_current = Taxonomy.objects.filter(code=code, is_current=True).exists()
    fields = {"name": name, "description": description, "language": language, "is_current": not has_current}
    return Taxonomy.objects.get_or_create(code=code, version=version, defaults=fields)[0]


def _added(taxonomy: Taxonomy, rows: Sequence[CategoryRow], tree: dict[str, Category]) -> dict[str, Category]:
    """The categories of unknown codes, unsaved but with ids, since the lineage of a category is made of ids."""
    codes: dict[str, None] = {}
    for index, row in enumerate(rows):
        if row.code in codes:
            raise invalid(f"/{index}/code", "duplicate", f"The code {row.code!r} comes twice.")
        codes[row.code] = None
    unknown = [code for code in codes if code not in tree]
    ids = _reserve_ids(len(unknown))
    return {
        code: Category(pk=pk, taxonomy=taxonomy, code=code) for code, pk in zip(unknown, ids, strict=True)
    }


def _reserve_ids(number: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('products_category', 'id')) FROM generate_series(1, %s)",
            [number],
        )
        return [row[0] for row in cursor.fetchall()]


def _apply(row: CategoryRow, tree: dict[str, Category], index: int) -> bool:
    """Take over a row into its category, unsaved; say whether that changed anything."""
    if row.parent and row.parent not in tree:
        raise invalid(f"/{index}/parent", "does_not_exist", f"There is no category {row.parent!r}.")
    category = tree[row.code]
    fields = {
        "name": row.name,
        "parent_id": tree[row.parent].pk if row.parent else None,
        "keywords": list(row.keywords),
        "description": row.description,
    }
    changed = any(getattr(category, name) != value for name, value in fields.items())
    for name, value in fields.items():
        setattr(category, name, value)
    return changed


def _replaced(tree: dict[str, Category], rows: Sequence[CategoryRow]) -> set[str]:
    """The codes of those whose place in the tree is another than before, each put where it belongs, unsaved."""
    where = places(tree.values())
    for index, row in enumerate(rows):
        if tree[row.code].pk not in where:
            raise invalid(f"/{index}/parent", "circle", f"The parents of {row.code!r} go round in a circle.")
    return {code for code, category in tree.items() if set_place(category, where[category.pk])}
