"""What follows from the parent links of a tree: the path, lineage and level of each category, and its leaves."""

from collections.abc import Iterable
from dataclasses import dataclass

from products.models import PATH_SEPARATOR, Category

DERIVED_FIELDS = ("path", "lineage", "level", "is_leaf")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a category stands in its tree, in the words of the fields of `Category`."""

    path: str
    lineage: str
    level: int
    is_leaf: bool


def places(categories: Iterable[Category]) -> dict[int, Place]:
    """The place of each category by its id. Those that no root leads to (a circle of parents) have none."""
    below: dict[int | None, list[Category]] = {}
    for category in categories:
        below.setdefault(category.parent_id, []).append(category)
    found: dict[int, Place] = {}
    waiting: list[tuple[Category, Place | None]] = [(category, None) for category in below.get(None, [])]
    while waiting:
        category, parent = waiting.pop()
        children = below.get(category.pk, [])
        found[category.pk] = place = _place(category, parent, is_leaf=not children)
        waiting.extend((child, place) for child in children)
    return found


def set_place(category: Category, place: Place) -> bool:
    """Put a category where it belongs, unsaved; say whether it stood elsewhere."""
    changed = False
    for name in DERIVED_FIELDS:
        if getattr(category, name) != getattr(place, name):
            setattr(category, name, getattr(place, name))
            changed = True
    return changed


def _place(category: Category, parent: Place | None, *, is_leaf: bool) -> Place:
    if parent is None:
        return Place(category.name, f"{category.pk}/", 1, is_leaf)
    path = f"{parent.path}{PATH_SEPARATOR}{category.name}"
    return Place(path, f"{parent.lineage}{category.pk}/", parent.level + 1, is_leaf)
