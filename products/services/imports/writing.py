"""Checked rows into the table of products: copied to a staging table, compared, and written in few statements.

Rows that say something about the same fields are a group, and each group is one statement. In CSV and XLSX all rows
say something about every column, so there is one group; in JSON lines each row may leave out what it likes.
"""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from products.models import Product
from products.services.imports.options import CREATE, UPDATE
from products.services.imports.rules import Candidate
from products.validators import MAX_ATTRIBUTES

TEXTS = ("name", "description", "manufacturer", "part_number", "gtin", "status")
COLUMNS = ("number", "part", "sku", *TEXTS, "attributes", "category_id", "category_source")
IMPORTED = Product.CategorySource.IMPORTED

# A candidate is called as PostgreSQL calls the row that a conflict excludes, so that both ways of writing are alike.
_STAGING = """
CREATE TEMPORARY TABLE import_row (
    number bigint, part integer, sku varchar, name varchar, description text, manufacturer varchar,
    part_number varchar, gtin varchar, status varchar, attributes jsonb, category_id bigint, category_source varchar
) ON COMMIT DROP
"""
_COPY = f"COPY import_row ({', '.join(COLUMNS)}) FROM STDIN"
_LOCK = "SELECT id FROM products_product WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


@dataclass(slots=True)
class Written:
    """The rows that were, or in a dry run would be, created, changed and left as they are; and those refused.

    `before` has what fields were in products that a dry run would change.
    """

    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    nameless: list[int] = field(default_factory=list)
    overfull: list[int] = field(default_factory=list)
    before: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, other: "Written") -> None:
        """Take over what became of other rows."""
        for name in ("created", "updated", "unchanged", "taken", "missing", "nameless", "overfull"):
            getattr(self, name).extend(getattr(other, name))
        self.before |= other.before


Fields = tuple[str, ...]


def write(candidates: Sequence[Candidate], mode: str, *, dry_run: bool) -> Written:
    """Write candidates without faults, no two of one SKU, in the transaction of the caller.

    Says of each row what became of it. Whoever changes the same products meanwhile waits, or is waited for.
    """
    groups: dict[Fields, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[_fields_of(candidate)].append(candidate)
    _stage(groups)
    written = Written()
    for part, (fields, members) in enumerate(groups.items()):
        found = _compare(part, fields, mode, is_shown=dry_run)
        written.add(found if dry_run else _write_part(part, fields, mode, found, members))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE import_row")
    return written


def _fields_of(candidate: Candidate) -> Fields:
    """What a row says something about, besides the SKU."""
    values = candidate.values
    names = [name for name in (*TEXTS, "attributes", "added_attributes", "category_id") if name in values]
    if values.get("category_source"):
        names.append("category_source")
    return tuple(names)


def _stage(groups: Mapping[Fields, Sequence[Candidate]]) -> None:
    lines = io.StringIO()
    for part, candidates in enumerate(groups.values()):
        for one in candidates:
            values = one.values
            attributes = values.get("attributes", values.get("added_attributes"))
            cells = [
                one.number,
                part,
                values["sku"],
                *[values.get(name) for name in TEXTS],
                None if attributes is None else orjson.dumps(attributes).decode(),
                values.get("category_id"),
                None if values.get("category_id") is None else values.get("category_source") or IMPORTED,
            ]
            lines.write(copied(cells))
    lines.seek(0)
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        cursor.copy_expert(_COPY, lines)
        cursor.execute("ANALYZE import_row")


def copied(cells: Sequence[Any]) -> str:
    """A row as COPY reads it in its text format."""
    return "\t".join(map(_escaped, cells)) + "\n"


def _escaped(value: Any) -> str:
    if value is None:
        return r"\N"
    text = str(value)
    if text.isalnum():
        return text
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def _compare(part: int, fields: Fields, mode: str, *, is_shown: bool) -> Written:
    """Find out which rows are new, differ from their product, or are the same; lock those that will be changed."""
    shown = f"jsonb_build_array({_list('product', fields)})" if is_shown else "NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT excluded.number, product.id, {_differs(fields)}, {_is_overfull(fields)}, {shown}"  # noqa: S608
            " FROM import_row AS excluded"
            " LEFT JOIN products_product AS product ON product.sku = excluded.sku"
            " WHERE excluded.part = %s ORDER BY excluded.number",
            [part],
        )
        rows = cursor.fetchall()
        found, changed = Written(), []
        for number, pk, differs, is_overfull, before in rows:
            if pk is None:
                _place_of_new(found, fields, mode).append(number)
            elif mode == CREATE:
                found.taken.append(number)
            elif not differs:
                found.unchanged.append(number)
            elif is_overfull:
                found.overfull.append(number)
            else:
                found.updated.append(number)
                changed.append(pk)
                if is_shown:
                    found.before[number] = dict(zip(fields, orjson.loads(before), strict=True))
        if changed and not is_shown:
            cursor.execute(_LOCK, [changed])
    return found


def _place_of_new(found: Written, fields: Fields, mode: str) -> list[int]:
    if mode == UPDATE:
        return found.missing
    return found.created if "name" in fields else found.nameless


def _write_part(
    part: int, fields: Fields, mode: str, found: Written, members: Sequence[Candidate]
) -> Written:
    """Write what was found of a group, and say what became of it when others have written meanwhile too."""
    wanted = sorted([*found.created, *found.updated])
    if not wanted:
        return found
    is_update = mode == UPDATE or "name" not in fields
    statement = _update(fields) if is_update else _insert(fields, mode)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(statement, {"now": now, "part": part, "numbers": wanted})
        done: dict[str, bool] = dict(cursor.fetchall())
    sku_of = {one.number: one.values["sku"] for one in members}
    found.created = [number for number in wanted if done.get(sku_of[number]) is True]
    found.updated = [number for number in wanted if done.get(sku_of[number]) is False]
    late = found.missing if is_update else found.taken if mode == CREATE else found.unchanged
    late.extend(number for number in wanted if sku_of[number] not in done)
    return found


@cache
def _insert(fields: Fields, mode: str) -> str:
    """New products; and where a row says something else of one that exists, changes of it.

    In the order of the SKUs: of two imports that write the same ones, one waits for the other.
    """
    conflict = "NOTHING" if mode == CREATE else f"UPDATE SET {_changes(fields)} WHERE {_differs(fields)}"
    values = ", ".join(_value_or_default(name) for name in (*TEXTS, "attributes"))
    return (
        f"INSERT INTO products_product AS product (sku, {', '.join(TEXTS)}, attributes, category_id,"  # noqa: S608
        f" category_source, created_at, updated_at)"
        f" SELECT sku, {values}, category_id, category_source, %(now)s, %(now)s FROM import_row"
        " WHERE part = %(part)s AND number = ANY(%(numbers)s) ORDER BY sku"
        f" ON CONFLICT (sku) DO {conflict} RETURNING sku, xmax = 0"
    )


@cache
def _update(fields: Fields) -> str:
    """Changes of products that exist; which ones is settled, and their rows are locked."""
    return (
        f"UPDATE products_product AS product SET {_changes(fields)} FROM import_row AS excluded"  # noqa: S608
        " WHERE product.sku = excluded.sku AND excluded.part = %(part)s"
        f" AND excluded.number = ANY(%(numbers)s) AND {_differs(fields)} RETURNING product.sku, false"
    )


def _value_or_default(name: str) -> str:
    column: Any = Product._meta.get_field(name)
    default = column.get_default()
    return f"coalesce({name}, '{{}}')" if name == "attributes" else f"coalesce({name}, '{default}')"


def _changes(fields: Fields) -> str:
    """The assignments of an update. A category that stays the same keeps who chose it, unless the row says who did."""
    assigned = [f"{name} = excluded.{name}" for name in fields if name != "added_attributes"]
    if "added_attributes" in fields:
        assigned.append(f"attributes = {_ADDED}")
    if "category_id" in fields and "category_source" not in fields:
        assigned.append(
            "category_source = CASE WHEN product.category_id IS DISTINCT FROM excluded.category_id"
            " THEN excluded.category_source ELSE product.category_source END"
        )
    return ", ".join([*assigned, "updated_at = %(now)s"])


_ADDED = "product.attributes || excluded.attributes"


def _differs(fields: Fields) -> str:
    """Whether a row says something else than the product has. In JSON, 18 and 18.0 are two things."""
    if not fields:
        return "false"
    texts = {"attributes": "excluded.attributes::text", "added_attributes": f"({_ADDED})::text"}
    given = ", ".join(texts.get(name, f"excluded.{name}") for name in fields)
    return f"ROW({_list('product', fields, as_text=True)}) IS DISTINCT FROM ROW({given})"


def _is_overfull(fields: Fields) -> str:
    """Whether a product would have more attributes than it may, with those that a row adds."""
    if "added_attributes" not in fields:
        return "false"
    return f"(SELECT count(*) > {MAX_ATTRIBUTES} FROM jsonb_object_keys({_ADDED}))"  # noqa: S608 - constants


def _list(table: str, fields: Fields, *, as_text: bool = False) -> str:
    names = [name.removeprefix("added_") for name in fields]
    return ", ".join(
        f"{table}.{name}" + ("::text" if as_text and name == "attributes" else "") for name in names
    )
