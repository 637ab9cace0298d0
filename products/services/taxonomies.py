"""Everything that changes taxonomies as a whole. For loading and checking one see `products.services.loading`."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import F
from django.dispatch import Signal
from django.utils import timezone

from nexus.api.database import erase, lock_name, refusal
from nexus.api.errors import Conflict, NotFound
from products.models import Product, Taxonomy

# Sent within the transaction that makes a version the current one; carries `taxonomy`. Rooms above may refuse it.
made_current = Signal()

# Counted by PostgreSQL, so that none of them is sent.
_LOCK_CATEGORIES = """
SELECT count(*) FROM (
    SELECT FROM products_category WHERE taxonomy_id = %s ORDER BY id FOR UPDATE
) AS locked
"""
VERSION_UNIQUE = "products_taxonomy_version_unique"


def lock(taxonomy_id: int) -> Taxonomy:
    """The taxonomy, with its whole tree to ourselves until the transaction ends. Raises NotFound.

    Take it before any row of a category, so that two who change a tree wait instead of stopping each other.
    """
    taxonomy = Taxonomy.objects.select_for_update(no_key=True).filter(pk=taxonomy_id).first()
    if taxonomy is None:
        raise NotFound("not_found", "There is no such taxonomy any more.")
    return taxonomy


def lock_versions_of(taxonomy_id: int) -> None:
    """Keep everybody else from choosing the current version of a taxonomy's code until the transaction ends.

    Take it before the row of the taxonomy is locked. A taxonomy that does not exist locks nothing.
    """
    code = Taxonomy.objects.filter(pk=taxonomy_id).values_list("code", flat=True).first()
    if code is not None:
        _lock_versions(code)


def _lock_versions(code: str) -> None:
    lock_name(f"taxonomy {code}")


def bump(taxonomy_id: int) -> None:
    """Count a change of the tree or of a text in it, so that whatever is derived from it is rebuilt."""
    Taxonomy.objects.filter(pk=taxonomy_id).update(revision=F("revision") + 1, updated_at=timezone.now())


def create_taxonomy(fields: Mapping[str, Any]) -> Taxonomy:
    """Save a taxonomy; when it is current, the other versions of its code no longer are.

    Raises Conflict ``version_taken``.
    """
    taxonomy = Taxonomy(**fields)
    with refusal(VERSION_UNIQUE, _version_taken(taxonomy)):
        _retire_others(taxonomy)
        taxonomy.save(force_insert=True)
    return taxonomy


def named_or_new(code: str, version: str, **fields: Any) -> Taxonomy:
    """The taxonomy of a code and version, locked; made with `fields` when there is none.

    The first version of a code is current, later ones wait until somebody makes them so.
    """
    _lock_versions(code)
    has_current = Taxonomy.objects.filter(code=code, is_current=True).exists()
    defaults = {**fields, "is_current": not has_current}
    taxonomy, _ = Taxonomy.objects.get_or_create(code=code, version=version, defaults=defaults)
    return lock(taxonomy.pk)


def update_taxonomy(taxonomy: Taxonomy, changes: Mapping[str, Any]) -> Taxonomy:
    """Change fields of a taxonomy. Raises Conflict ``version_taken``.

    Call it after `lock_versions_of`, with the row locked.
    """
    for name, value in changes.items():
        setattr(taxonomy, name, value)
    with refusal(VERSION_UNIQUE, _version_taken(taxonomy)):
        _retire_others(taxonomy)
        taxonomy.save(update_fields=[*changes, "updated_at"])
    if changes.get("is_current"):
        made_current.send(sender=Taxonomy, taxonomy=taxonomy)
    return taxonomy


def delete_taxonomy(taxonomy: Taxonomy) -> None:
    """Delete a taxonomy with its categories. Raises Conflict ``in_use`` while products are classified by it.

    Call it in a transaction.
    """
    # Waits for those who are giving one of the categories to a product, and keeps others from doing so.
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CATEGORIES, [taxonomy.pk])
    check_unused(taxonomy)
    erase(Taxonomy.objects.filter(pk=taxonomy.pk))


def check_unused(taxonomy: Taxonomy) -> None:
    """Raise Conflict ``in_use`` while products are classified by a taxonomy."""
    if Product.objects.filter(category__taxonomy=taxonomy).exists():
        raise Conflict("in_use", "Products are still classified by this taxonomy.")


def _retire_others(taxonomy: Taxonomy) -> None:
    if taxonomy.is_current:
        _lock_versions(taxonomy.code)
        others = Taxonomy.objects.filter(code=taxonomy.code, is_current=True).exclude(pk=taxonomy.pk)
        others.update(is_current=False, updated_at=timezone.now())


def _version_taken(taxonomy: Taxonomy) -> Conflict:
    detail = f"There is a taxonomy {taxonomy.code!r} of version {taxonomy.version!r} already."
    error = {"pointer": "/version", "code": "version_taken", "detail": detail}
    return Conflict("version_taken", detail, errors=[error])
