"""Writing many categories with few statements: rows travel as one document of JSON for each."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from nexus.api.renderers import to_json
from products.models import Category

# Some 5 MB of JSON a statement.
AT_ONCE = 20_000

_ROWS = """
jsonb_to_recordset(%s::jsonb) AS row(
    id bigint, taxonomy_id bigint, parent_id bigint, code varchar, name varchar, description text,
    keywords varchar(100)[], path varchar, lineage varchar, level smallint, is_leaf boolean
)
"""
_FIELDS = (
    "id",
    "taxonomy_id",
    "parent_id",
    "code",
    "name",
    "description",
    "keywords",
    "path",
    "lineage",
    "level",
    "is_leaf",
)
_INSERT = (
    f"INSERT INTO products_category ({', '.join(_FIELDS)}, created_at, updated_at)"  # noqa: S608 - names of ours
    f" SELECT {', '.join(_FIELDS)}, %s, %s FROM {_ROWS}"
)
_UPDATE = (
    "UPDATE products_category AS category SET"  # noqa: S608 - names of ours
    f" {', '.join(f'{name} = row.{name}' for name in _FIELDS if name not in {'id', 'taxonomy_id', 'code'})},"
    f" updated_at = %s FROM {_ROWS} WHERE category.id = row.id"
)


def insert_categories(categories: Sequence[Category]) -> None:
    """Add categories that have their ids and places already. Call it under the lock of their tree."""
    now = timezone.now()
    _each(_INSERT, [now, now], categories)


def update_categories(categories: Sequence[Category]) -> None:
    """Write everything about categories but their code and taxonomy. Call it under the lock of their tree."""
    _each(_UPDATE, [timezone.now()], categories)


def _each(statement: str, parameters: list[Any], categories: Sequence[Category]) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(categories), AT_ONCE):
            rows = [
                {name: getattr(category, name) for name in _FIELDS}
                for category in categories[start : start + AT_ONCE]
            ]
            cursor.execute(statement, [*parameters, to_json(rows).decode()])
