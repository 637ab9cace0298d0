"""`Model.save` with SQL that is written once, for the few writes that are most of the traffic.

It takes Django as long to write an INSERT or an UPDATE as the rest of a small request takes. Values go the way that
they go in `save`, but no signals are sent, and columns that the database makes are not read back.
"""

from functools import cache
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, Model, Value
from django.db.models.expressions import DatabaseDefault
from django.db.utils import DEFAULT_DB_ALIAS


def insert(*instances: Model) -> None:
    """Save new instances, all of them or none, in one statement. Raises IntegrityError.

    One may refer to another by a key that is not the database's to give.
    """
    sql, fields = _insertion(tuple(type(instance) for instance in instances))
    connection = connections[DEFAULT_DB_ALIAS]
    values = [
        _value(instance, field, connection, add=True)
        for instance, own in zip(instances, fields, strict=True)
        for field in own
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        keys = cursor.fetchone()
    for instance, key in zip(instances, keys, strict=True):
        instance.pk = key
        instance._state.adding, instance._state.db = False, connection.alias


def update(instance: Model, names: tuple[str, ...]) -> None:
    """Save the named fields of an instance that exists. Raises IntegrityError."""
    sql, fields = _change(type(instance), names)
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        values = [_value(instance, field, connection, add=False) for field in fields]
        cursor.execute(sql, [*values, instance.pk])


def _value(instance: Model, field: "Field[Any, Any]", connection: BaseDatabaseWrapper, *, add: bool) -> Any:
    value = field.pre_save(instance, add)
    if isinstance(value, DatabaseDefault):
        value = _literal(value)
        setattr(instance, field.attname, value)
    return field.get_db_prep_save(value, connection)


def _literal(default: DatabaseDefault) -> Any:
    """The value of a ``db_default`` that stands for itself, as all of ours do."""
    (expression,) = default.get_source_expressions()
    assert isinstance(expression, Value), expression
    return expression.value


@cache
def _insertion(models: tuple[type[Model], ...]) -> tuple[str, list[list["Field[Any, Any]"]]]:
    """The SQL, which returns the keys in one row, and the fields of each model whose values it takes."""
    fields = [_inserted(model) for model in models]
    inserts = [_insert(model, own) for model, own in zip(models, fields, strict=True)]
    if len(inserts) == 1:
        return inserts[0], fields
    named = ", ".join(f"row_{index} (key) AS ({sql})" for index, sql in enumerate(inserts))
    rows = [f"row_{index}" for index in range(len(inserts))]
    return f"WITH {named} SELECT {', '.join(f'{row}.key' for row in rows)} FROM {', '.join(rows)}", fields  # noqa: S608 - names of the models


def _inserted(model: type[Model]) -> list["Field[Any, Any]"]:
    return [
        field
        for field in model._meta.local_concrete_fields
        if not (field.generated or isinstance(field, AutoField))
    ]


def _insert(model: type[Model], fields: list["Field[Any, Any]"]) -> str:
    meta = model._meta
    columns, places = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {_quoted(meta.db_table)} ({columns}) VALUES ({places}) RETURNING {_column(meta.pk)}"  # noqa: S608 - names of the model


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> tuple[str, list["Field[Any, Any]"]]:
    meta = model._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    columns = ", ".join(f"{_column(field)} = %s" for field in fields)
    return f"UPDATE {_quoted(meta.db_table)} SET {columns} WHERE {_column(meta.pk)} = %s", fields  # noqa: S608 - names of the model


def _column(field: Any) -> str:
    return _quoted(field.column)


def _quoted(name: str) -> str:
    return connections[DEFAULT_DB_ALIAS].ops.quote_name(name)
