"""`Model.save` with SQL that is written once, for the few writes that are most of the traffic.

It takes Django as long to write an INSERT or an UPDATE as the rest of a small request takes. Values go the way that
they go in `save`, but no signals are sent.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    AutoField,
    BooleanField,
    CharField,
    Field,
    FloatField,
    ForeignKey,
    JSONField,
    Model,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    QuerySet,
    TextField,
    UUIDField,
    Value,
)
from django.db.models.base import ModelState
from django.db.models.expressions import DatabaseDefault
from django.db.utils import DEFAULT_DB_ALIAS

from nexus.api.copying import json_text
from nexus.api.prepared import WRITING, Statement, Written

# Types of values of which `get_db_prep_save` makes nothing else, by the types of fields that ask it most often.
TAKEN_AS_THEY_ARE: dict[type, tuple[type, ...]] = {
    BooleanField: (bool,),
    CharField: (str,),
    FloatField: (float,),
    ForeignKey: (int, UUID),
    PositiveBigIntegerField: (int,),
    PositiveIntegerField: (int,),
    PositiveSmallIntegerField: (int,),
    TextField: (str,),
    UUIDField: (UUID,),
}
# The parameter of an UPDATE that says which row it changes.
KEY = "key"

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")


def like(instance: M, **values: Any) -> M:
    """A new instance, unsaved, with the values of another one that was never saved, but for those that are given by the
    names of their attributes.

    For many rows that have most in common: Django's constructor goes through every field of each.
    """
    made = type(instance).__new__(type(instance))
    vars(made).update(vars(instance) | values, _state=ModelState())
    return made


def insert(*instances: Model) -> None:
    """Save new instances, all of them or none, in one statement. Raises IntegrityError.

    One may refer to another by a key that is not the database's to give. Columns that the database makes are not read
    back, but for the key.
    """
    statement, fields = _insertion(tuple(type(instance) for instance in instances))
    connection = connections[DEFAULT_DB_ALIAS]
    values = [
        _value(instance, field, connection, add=True)
        for instance, own in zip(instances, fields, strict=True)
        for field in own
    ]
    keys = statement.send(connection, lambda sql: _only_row(connection, sql, values))
    for instance, key in zip(instances, keys, strict=True):
        instance.pk = key
        instance._state.adding, instance._state.db = False, connection.alias


def insert_and_read(instance: M, queryset: QuerySet[M, Row]) -> Row:
    """Save a new instance, and read it as a queryset without parameters does, in one statement.

    Raises IntegrityError.
    """
    statement, fields = _insertion_read(queryset)
    row: Row = statement.write(values_of(instance, fields, add=True))[0]
    return row


def update_and_read(instance: M, names: tuple[str, ...], queryset: QuerySet[M, Row]) -> Row:
    """Save the named fields of an instance that exists, and read it as `insert_and_read` does.

    Raises IntegrityError.
    """
    statement, fields = _change_read(queryset, names)
    row: Row = statement.write(values_of(instance, fields) | {KEY: instance.pk})[0]
    return row


def values_of(instance: Model, fields: Iterable["Field[Any, Any]"], *, add: bool = False) -> dict[str, Any]:
    """What `save` would send for some fields of an instance, by the names of their attributes."""
    connection = connections[DEFAULT_DB_ALIAS]
    return {field.attname: _value(instance, field, connection, add=add) for field in fields}


def _only_row(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()


def _value(instance: Model, field: "Field[Any, Any]", connection: BaseDatabaseWrapper, *, add: bool) -> Any:
    value = field.pre_save(instance, add)
    if isinstance(value, DatabaseDefault):
        value = _literal(value)
        setattr(instance, field.attname, value)
    if value is None or type(value) in TAKEN_AS_THEY_ARE.get(type(field), ()):
        return value
    if type(field) is JSONField and field.encoder is None:
        return json_text(value)
    return field.get_db_prep_save(value, connection)


def _literal(default: DatabaseDefault) -> Any:
    """The value of a ``db_default`` that stands for itself, as all of ours do."""
    (expression,) = default.get_source_expressions()
    assert isinstance(expression, Value), expression
    return expression.value


@cache
def _insertion(models: tuple[type[Model], ...]) -> tuple[Statement, list[list["Field[Any, Any]"]]]:
    """A statement that returns the keys in one row, and the fields of each model whose values it takes."""
    fields = [_inserted(model) for model in models]
    inserts = [
        f"{_insert(model, ['%s'] * len(own), own)} RETURNING {_column(model._meta.pk)} AS key"
        for model, own in zip(models, fields, strict=True)
    ]
    named = ", ".join(f"row_{index} AS ({sql})" for index, sql in enumerate(inserts))
    rows = [f"row_{index}" for index in range(len(inserts))]
    sql = f"WITH {named} SELECT {', '.join(f'{row}.key' for row in rows)} FROM {', '.join(rows)}"  # noqa: S608 - names of the models
    return Statement(sql, sum(map(len, fields)), name=WRITING), fields


@cache
def _insertion_read(queryset: QuerySet[Any, Any]) -> tuple[Written, list["Field[Any, Any]"]]:
    fields = _inserted(queryset.model)
    names = [field.attname for field in fields]
    sql = _insert(queryset.model, [f"%({name})s" for name in names], fields)
    return Written(sql, names, queryset), fields


@cache
def _change_read(
    queryset: QuerySet[Any, Any], names: tuple[str, ...]
) -> tuple[Written, list["Field[Any, Any]"]]:
    meta = queryset.model._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    columns = ", ".join(f"{_column(field)} = %({field.attname})s" for field in fields)
    sql = f"UPDATE {_quoted(meta.db_table)} SET {columns} WHERE {_column(meta.pk)} = %({KEY})s"  # noqa: S608 - names of the model
    return Written(sql, [*(field.attname for field in fields), KEY], queryset), fields


def _inserted(model: type[Model]) -> list["Field[Any, Any]"]:
    return [
        field
        for field in model._meta.local_concrete_fields
        if not (field.generated or isinstance(field, AutoField))
    ]


def _insert(model: type[Model], places: Sequence[str], fields: Sequence["Field[Any, Any]"]) -> str:
    columns = ", ".join(map(_column, fields))
    return f"INSERT INTO {_quoted(model._meta.db_table)} ({columns}) VALUES ({', '.join(places)})"  # noqa: S608 - names of the model


def _column(field: Any) -> str:
    return _quoted(field.column)


def _quoted(name: str) -> str:
    return connections[DEFAULT_DB_ALIAS].ops.quote_name(name)
