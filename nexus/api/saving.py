"""`Model.save` of new rows with SQL that is written once, for the few writes that are most of the traffic.

It takes Django as long to write an INSERT as the rest of a small request takes. Values go the way that they go in
`save`, but no signals are sent.
"""

from collections.abc import Sequence
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
    TextField,
    UUIDField,
    Value,
)
from django.db.models.base import ModelState
from django.db.models.expressions import DatabaseDefault
from django.db.utils import DEFAULT_DB_ALIAS
from pghistory.core import event_models

from nexus.api.copying import json_text
from nexus.api.prepared import Statement

# Types of values of which `save` makes nothing else, by the types of the most frequent fields; nor of None there.
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

M = TypeVar("M", bound=Model)
# The attribute, the types that are taken as they are, and the field.
Column = tuple[str, tuple[type, ...], "Field[Any, Any]"]


def like(instance: M, **values: Any) -> M:
    """A new instance, unsaved, with the values of another one that was never saved, but for those that are given by the
    names of their attributes.

    For many rows that have most in common: Django's constructor goes through every field of each.
    """
    made = type(instance).__new__(type(instance))
    vars(made).update(vars(instance) | values, _state=ModelState())
    return made


def insert(*instances: Model) -> None:
    """Save new instances of models without a history, all of them or none, in one statement. Raises IntegrityError.

    One may refer to another by a key that is not the database's to give. Columns that the database makes are not read
    back, but for the key.
    """
    statement, fields = _insertion(tuple(type(instance) for instance in instances))
    connection = connections[DEFAULT_DB_ALIAS]
    values: list[Any] = []
    for instance, own in zip(instances, fields, strict=True):
        for name, taken, field in own:
            value = getattr(instance, name)
            if taken and (value is None or type(value) in taken):
                values.append(value)
            else:
                values.append(_made(instance, field, connection))
    keys = statement.send(connection, lambda sql: _only_row(connection, sql, values))
    for instance, key in zip(instances, keys, strict=True):
        instance.pk = key
        instance._state.adding, instance._state.db = False, connection.alias


def _only_row(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()


def _made(instance: Model, field: "Field[Any, Any]", connection: BaseDatabaseWrapper) -> Any:
    """What `save` would make of the value of a field."""
    value = field.pre_save(instance, add=True)
    if isinstance(value, DatabaseDefault):
        value = _literal(value)
        setattr(instance, field.attname, value)
    if type(field) is JSONField and value is not None and field.encoder is None:
        return json_text(value)
    return field.get_db_prep_save(value, connection)


def _literal(default: DatabaseDefault) -> Any:
    """The value of a ``db_default`` that stands for itself, as all of ours do."""
    (expression,) = default.get_source_expressions()
    assert isinstance(expression, Value), expression
    return expression.value


@cache
def _insertion(models: tuple[type[Model], ...]) -> tuple[Statement, list[list[Column]]]:
    """A statement that returns the keys in one row, and the fields of each model whose values it takes."""
    assert not any(event_models(tracks_model=model) for model in models), (
        "The history would not know by whom."
    )
    fields = [_inserted(model) for model in models]
    inserts = [_insert(model, own) for model, own in zip(models, fields, strict=True)]
    named = ", ".join(f"row_{index} AS ({sql})" for index, sql in enumerate(inserts))
    rows = [f"row_{index}" for index in range(len(inserts))]
    sql = f"WITH {named} SELECT {', '.join(f'{row}.key' for row in rows)} FROM {', '.join(rows)}"  # noqa: S608 - names of the models
    return Statement(sql, sum(map(len, fields))), fields


def _inserted(model: type[Model]) -> list[Column]:
    return [
        (field.attname, TAKEN_AS_THEY_ARE.get(type(field), ()), field)
        for field in model._meta.local_concrete_fields
        if not (field.generated or isinstance(field, AutoField))
    ]


def _insert(model: type[Model], fields: Sequence[Column]) -> str:
    columns, places = ", ".join(_column(field) for _, _, field in fields), ", ".join("%s" for _ in fields)
    table, key = _quoted(model._meta.db_table), _column(model._meta.pk)
    return f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING {key} AS key"  # noqa: S608 - names of the model


def _column(field: Any) -> str:
    return _quoted(field.column)


def _quoted(name: str) -> str:
    return connections[DEFAULT_DB_ALIAS].ops.quote_name(name)
