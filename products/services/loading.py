"""Loading a whole taxonomy at once, and proving that one is sound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from nexus.api.errors import invalid
from products.models import Category, Taxonomy
from products.services import taxonomies
from products.services.category_rows import insert_categories, update_categories
from products.taxonomy_files.reading import CategoryRow
from products.tree import DERIVED_FIELDS, places, set_place

MANY = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """Something about a category that does not follow from its parents as it ought to."""

    category: Category
    problem: str

    def __str__(self) -> str:
        return f"{self.category.code}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Changes:
    """How many categories a load has added and changed, and how many were as they ought to be."""

    added: int
    changed: int
    unchanged: int


def load_taxonomy(
    code: str,
    version: str,
    name: str,
    rows: Iterable[CategoryRow],
    *,
    description: str = "",
    language: str = "en",
) -> Taxonomy:
    """Make a taxonomy hold the categories of `rows`, as `load_rows` does; it is made when there is none."""
    with transaction.atomic():
        taxonomy = taxonomies.named_or_new(
            code, version, name=name, description=description, language=language
        )
        load_rows(taxonomy, list(rows))
    return taxonomy


@transaction.atomic
def load_rows(taxonomy: Taxonomy, rows: Sequence[CategoryRow]) -> Changes:
    """Make a taxonomy hold the categories of `rows`: unknown ones (by code) are added, others brought up to date.

    A parent may come after its children. Categories that `rows` does not name stay as they are, and a second run
    with the same rows writes nothing. Raises Problem (400) at ``/<row>`` for a code that comes twice, a parent that
    does not exist, or parents in a circle.
    """
    taxonomies.lock(taxonomy.pk)
    added, changed = _worked_out(taxonomy, rows)
    insert_categories(added)
    update_categories(changed)
    if added or changed:
        taxonomies.bump(taxonomy.pk)
    if len(added) > MANY:
        # Else PostgreSQL, which looks by itself once a minute, plans the next statement as if there were no rows.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE products_category")
    return _counted(rows, added, changed)


def changes_by(taxonomy: Taxonomy, rows: Sequence[CategoryRow]) -> Changes:
    """What `load_rows` would do, without doing it. Raises as it does."""
    return _counted(rows, *_worked_out(taxonomy, rows))


def _counted(rows: Sequence[CategoryRow], added: Sequence[Category], changed: Sequence[Category]) -> Changes:
    codes = {category.code for category in changed}
    return Changes(
        added=len(added),
        changed=len(changed),
        unchanged=sum(row.code not in codes for row in rows) - len(added),
    )


def _worked_out(taxonomy: Taxonomy, rows: Sequence[CategoryRow]) -> tuple[list[Category], list[Category]]:
    """The categories to add, and those to change (the places below a row among them), unsaved."""
    tree = {category.code: category for category in Category.objects.filter(taxonomy=taxonomy)}
    added = _added(taxonomy, rows, tree)
    tree |= added
    changed = {row.code for index, row in enumerate(rows) if _apply(row, tree, index)}
    changed |= _replaced(tree, rows)
    return list(added.values()), [tree[code] for code in sorted(changed - added.keys())]


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
    update_categories(wrong)
    if wrong:
        taxonomies.bump(taxonomy.pk)
    return len(wrong)


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
    fields: dict[str, Any] = {
        "name": row.name,
        "parent_id": tree[row.parent].pk if row.parent else None,
    }
    if row.keywords is not None:
        fields["keywords"] = list(row.keywords)
    if row.description is not None:
        fields["description"] = row.description
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
