"""`Model.save` with SQL that is written once, for the few writes that are most of the traffic.

It takes Django as long to write an INSERT or an UPDATE as the rest of a small request takes. Values go the way that
they go in `save`, but no signals are sent, and columns that the database makes are not read back.
"""

from functools import cache
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, Model
from django.db.utils import DEFAULT_DB_ALIAS


def insert(instance: Model) -> None:
    """Save a new instance. Raises IntegrityError."""
    sql, fields, key = _insertion(type(instance))
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(sql, [_value(instance, field, connection, add=True) for field in fields])
        setattr(instance, key, cursor.fetchone()[0])
    instance._state.adding, instance._state.db = False, connection.alias


def update(instance: Model, names: tuple[str, ...]) -> None:
    """Save the named fields of an instance that exists. Raises IntegrityError."""
    sql, fields = _change(type(instance), names)
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        values = [_value(instance, field, connection, add=False) for field in fields]
        cursor.execute(sql, [*values, instance.pk])


def _value(instance: Model, field: "Field[Any, Any]", connection: BaseDatabaseWrapper, *, add: bool) -> Any:
    return field.get_db_prep_save(field.pre_save(instance, add), connection)


@cache
def _insertion(model: type[Model]) -> tuple[str, list["Field[Any, Any]"], str]:
    """The SQL, the fields whose values it takes, and the name of the key that it returns."""
    meta = model._meta
    key = meta.pk
    fields = [
        field for field in meta.local_concrete_fields if not (field.generated or isinstance(field, AutoField))
    ]
    columns, places = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {_quoted(meta.db_table)} ({columns}) VALUES ({places}) RETURNING {_column(key)}"  # noqa: S608 - names of the model
    return sql, fields, key.attname


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
