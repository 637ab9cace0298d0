"""Everything that changes the tree of a taxonomy: one writer a taxonomy at a time, all of its derived fields kept."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from nexus.api.database import meaning
from nexus.api.errors import Conflict, Problem, invalid
from products.models import PATH_SEPARATOR, Category, Product
from products.services import taxonomies
from products.taxonomy_files.checking import MAX_LEVEL, MAX_PATH_BYTES

CODE_UNIQUE = "products_category_code_unique"


@transaction.atomic
def create_category(fields: Mapping[str, Any]) -> Category:
    """Save a category: `taxonomy`, `code` and `name`, and `parent_id`, `keywords`, `description` where given.

    Raises Conflict ``code_taken``, and Problem (400) for a parent of another taxonomy or a tree that gets too deep.
    """
    category = Category(**fields)
    taxonomies.lock(category.taxonomy_id)
    parent = _parent(category)
    _stand_below(category, parent)
    with meaning(CODE_UNIQUE, _code_taken(category)):
        category.save(force_insert=True)
    # The lineage ends in the id, which the database has just given.
    category.lineage = f"{parent.lineage if parent else ''}{category.pk}/"
    Category.objects.filter(pk=category.pk).update(lineage=category.lineage)
    if parent:
        Category.objects.filter(pk=parent.pk, is_leaf=True).update(is_leaf=False)
    taxonomies.bump(category.taxonomy_id)
    return category


@transaction.atomic
def update_category(category: Category, changes: Mapping[str, Any]) -> Category:
    """Change fields of a category, and with its name or its parent the paths of all that lies below it.

    Raises Conflict ``code_taken``, and Problem (400) for a parent that is of another taxonomy or lies below the
    category itself. Call it after `lock_tree_of`.
    """
    before = {name: getattr(category, name) for name in changes}
    if before == dict(changes):
        return category
    old = Category(
        parent_id=category.parent_id, path=category.path, lineage=category.lineage, level=category.level
    )
    for name, value in changes.items():
        setattr(category, name, value)
    if {"name", "parent_id"} & changes.keys():
        _stand_below(category, _parent(category))
        _carry_along(category, old)
    with meaning(CODE_UNIQUE, _code_taken(category)):
        category.save(update_fields=[*changes, "path", "lineage", "level", "updated_at"])
    if old.parent_id != category.parent_id:
        _settle_leaves(old.parent_id, category.parent_id)
    taxonomies.bump(category.taxonomy_id)
    return category


@transaction.atomic
def delete_category(category: Category) -> None:
    """Delete a category. Raises Conflict ``in_use`` while it has products or categories below it.

    Call it after `lock_tree_of`, with the row locked.
    """
    if Category.objects.filter(parent=category).exists():
        raise Conflict("in_use", "There are categories below this one.")
    if Product.objects.filter(category=category).exists():
        raise Conflict("in_use", "Products are still in this category.")
    parent_id = category.parent_id
    category.delete()
    _settle_leaves(parent_id)
    taxonomies.bump(category.taxonomy_id)


def lock_tree_of(category_id: int) -> None:
    """Keep everybody else from changing the tree that a category belongs to until the transaction ends.

    Take it before the row of the category itself is locked. A category that does not exist locks nothing.
    """
    taxonomy_id = Category.objects.filter(pk=category_id).values_list("taxonomy", flat=True).first()
    if taxonomy_id is not None:
        taxonomies.lock(taxonomy_id)


def _parent(category: Category) -> Category | None:
    if category.parent_id is None:
        return None
    parent = Category.objects.filter(pk=category.parent_id, taxonomy=category.taxonomy_id).first()
    if parent is None:
        raise _bad_parent("does_not_exist", f"The taxonomy has no category {category.parent_id}.")
    if category.pk and parent.lineage.startswith(category.lineage):
        raise _bad_parent("circle", "A category cannot be moved to itself or below itself.")
    return parent


def _bad_parent(code: str, detail: str) -> Problem:
    return invalid("/parent", code, detail)


def _stand_below(category: Category, parent: Category | None) -> None:
    """Set the derived fields of one category, unsaved; all but `is_leaf`, which its children say."""
    category.parent = parent
    category.level = parent.level + 1 if parent else 1
    category.path = f"{parent.path}{PATH_SEPARATOR}{category.name}" if parent else category.name
    category.lineage = f"{parent.lineage if parent else ''}{category.pk or ''}/"
    if category.level > MAX_LEVEL or len(category.path.encode()) > MAX_PATH_BYTES:
        raise _bad_parent("too_deep", f"A path has at most {MAX_LEVEL} levels and {MAX_PATH_BYTES} bytes.")


def _carry_along(category: Category, old: Category) -> None:
    """Take everything below a category along to its new place, in one statement."""
    below = Category.objects.filter(lineage__startswith=old.lineage).exclude(pk=category.pk)
    deepest = below.order_by("-level").values_list("level", flat=True).first() or category.level
    if deepest + category.level - old.level > MAX_LEVEL:
        raise _bad_parent("too_deep", f"A path has at most {MAX_LEVEL} levels.")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE products_category"
            " SET path = %s || substr(path, %s), lineage = %s || substr(lineage, %s), level = level + %s,"
            " updated_at = %s WHERE lineage LIKE %s AND id <> %s",
            [
                category.path,
                len(old.path) + 1,
                category.lineage,
                len(old.lineage) + 1,
                category.level - old.level,
                timezone.now(),
                f"{old.lineage}%",
                category.pk,
            ],
        )


def _settle_leaves(*ids: int | None) -> None:
    """Say of some categories whether anything lies below them."""
    for pk in ids:
        if pk is not None:
            is_leaf = not Category.objects.filter(parent=pk).exists()
            Category.objects.filter(pk=pk).exclude(is_leaf=is_leaf).update(is_leaf=is_leaf)


def _code_taken(category: Category) -> Conflict:
    detail = f"The taxonomy has a category with the code {category.code!r} already."
    return Conflict(
        "code_taken", detail, errors=[{"pointer": "/code", "code": "code_taken", "detail": detail}]
    )
