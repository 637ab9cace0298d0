"""The base of every serializer that reads a request: what it does not know, it refuses."""

import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache, cached_property
from typing import Any, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

# REST framework takes 5 for "5" and "yes" for true; the schema promises that neither is accepted.
JSON_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], str], ...] = (
    (serializers.CharField, (str,), "a string"),
    (serializers.UUIDField, (str,), "a string"),
    (serializers.BooleanField, (bool,), "true or false"),
    (serializers.IntegerField, (int, float), "an integer"),
    (serializers.FloatField, (int, float), "a number"),
)


class StrictMixin:
    """Refuses fields that the serializer does not have, and values of another JSON type, and names them.

    Fields that are only read are passed over, since a resource that was just read and is sent back carries them.
    """

    # The short way to the values of this serializer, where it is one for many bodies.
    body_reader: "BodyReader | None" = None

    def to_internal_value(self, data: Any) -> Any:
        """The validated values. Raises ValidationError naming every mistake, unknown fields and wrong types too."""
        if self.body_reader and type(data) is dict and (read := self.body_reader.read(data)) is not None:
            return read
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # type: ignore[misc]
        fields = self._fields_by_name
        errors = unknown_fields(data, fields)
        # A form has no types: everything in it is text.
        if not isinstance(data, QueryDict):
            errors |= wrong_types(data, fields)
        try:
            values = super().to_internal_value(data)  # type: ignore[misc]
        except serializers.ValidationError as error:
            raise serializers.ValidationError(cast(dict[str, Any], error.detail) | errors) from None
        if errors:
            raise serializers.ValidationError(errors)
        return values

    @cached_property
    def _fields_by_name(self) -> dict[str, Any]:
        """The same as `fields`, which goes through several calls for each look-up."""
        return dict(self.fields.items())  # type: ignore[attr-defined]

    def run_validators(self, value: Any) -> None:
        """Run the validators of the whole; without any, REST framework would still prepare what they look at."""
        if self.validators:  # type: ignore[attr-defined]
            super().run_validators(value)  # type: ignore[misc]


def unknown_fields(data: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """An error for each name in the data that is no field."""
    unknown = [name for name in data if name not in fields]
    if not unknown:
        return {}
    known = ", ".join(fields) or "none"
    error = serializers.ErrorDetail(f"Unknown field. Known are: {known}.", "unknown_field")
    return dict.fromkeys(unknown, error)


def wrong_types(data: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """An error for each value whose JSON type is not that of its field; for lists by the index of the value."""
    errors = {}
    for name, value in data.items():
        field = fields.get(name)
        if field is not None and not field.read_only and (error := _wrong_type(field, value)):
            errors[name] = error
    return errors


def _wrong_type(field: Any, value: Any) -> Any:
    """What is wrong about the JSON type of a value; None when nothing is."""
    if value is None:
        return None
    if isinstance(value, list) and isinstance(field, serializers.ListField):
        found = ((index, _wrong_type(field.child, item)) for index, item in enumerate(value))
        return {index: error for index, error in found if error} or None
    kind: Any = type(field)
    for types, expected in _types_of(kind):
        if type(value) not in types:
            return serializers.ErrorDetail(f"Give {expected}.", "invalid")
    return None


@cache
def _types_of(kind: Any) -> list[tuple[tuple[type, ...], str]]:
    return [(types, expected) for base, types, expected in JSON_TYPES if issubclass(kind, base)]


class BuiltOnceMixin:
    """Builds the fields of a class once; each serializer has light copies of them, which it may change.

    REST framework makes them anew for each serializer, which takes longer than most validations.
    """

    _built: dict[type, dict[str, Any]] = {}
    # What holds other fields is their parent, and a copy must have copies of them.
    _holders = (
        serializers.BaseSerializer,
        serializers.DictField,
        serializers.ListField,
        serializers.ManyRelatedField,
    )

    def get_fields(self) -> dict[str, Any]:
        """The fields of this serializer by name."""
        fields = self._built.get(type(self))
        if fields is None:
            fields = self._built.setdefault(type(self), _quick(super().get_fields()))  # type: ignore[misc]
        return {
            name: deepcopy(field) if isinstance(field, self._holders) else _light_copy(field)
            for name, field in fields.items()
        }


def _encodes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class QuickSurrogateValidator(ProhibitSurrogateCharactersValidator):
    """Lets the encoder look for surrogates, since REST framework looks at each character of each text."""

    def __call__(self, value: Any) -> None:
        if not _encodes(str(value)):
            super().__call__(value)


# What a text is checked for without asking them; `MaxLengthValidator` says its limit.
VALIDATORS_OF_TEXT = (MaxLengthValidator, ProhibitNullCharactersValidator, QuickSurrogateValidator)


def _quick(fields: dict[str, Any]) -> dict[str, Any]:
    for field in fields.values():
        field.validators = [
            QuickSurrogateValidator() if type(one) is ProhibitSurrogateCharactersValidator else one
            for one in field.validators
        ]
    return fields


def _light_copy(field: Any) -> Any:
    """What `copy.copy` makes of a field, without asking it how it is pickled."""
    copied = object.__new__(type(field))
    copied.__dict__.update(field.__dict__)
    return copied


class UnclearError(Exception):
    """A value that is not right at first sight."""


class BodyReader:
    """The short way from a JSON body to validated values, made of a serializer once.

    The serializer stays the contract: what is not right at first sight is left to it, and it says what is wrong, or
    that nothing is. Values of the most frequent kinds are looked at here, every other value by its field.
    """

    def __init__(self, serializer: Any) -> None:
        self._names = frozenset(serializer.fields)
        self._fields = [
            (name, field, _check_of(field, getattr(serializer, f"validate_{name}", None)))
            for name, field in serializer.fields.items()
            if not field.read_only
        ]
        assert all(field.source == name for name, field, _ in self._fields)

    def read(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """The validated values; None where the serializer has to look."""
        if not data.keys() <= self._names:
            return None
        values = {}
        try:
            for name, field, check in self._fields:
                if name in data:
                    values[name] = check(data[name])
                elif field.required:
                    return None
                elif field.default is not empty:
                    values[name] = field.get_default()
        except (UnclearError, serializers.ValidationError, DjangoValidationError):
            return None
        return values


def _check_of(field: Any, validate: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """What makes the validated value of a value, or raises one of the exceptions that `BodyReader.read` knows."""
    if validate is None and type(field) in QUICK_CHECKS:
        return QUICK_CHECKS[type(field)](field)

    def check(value: Any) -> Any:
        if _wrong_type(field, value):
            raise UnclearError
        value = field.run_validation(value)
        return value if validate is None else validate(value)

    return check


def _check_of_text(field: Any) -> Callable[[Any], str]:
    limits = [one.limit_value for one in field.validators if type(one) is MaxLengthValidator]
    longest = min(limits, default=sys.maxsize)
    others = [one for one in field.validators if type(one) not in VALIDATORS_OF_TEXT]

    def check(value: Any) -> str:
        text = value.strip() if type(value) is str and field.trim_whitespace else value
        if text == "" and field.allow_blank:
            return ""
        if type(text) is not str or not 0 < len(text) <= longest or "\x00" in text or not _encodes(text):
            raise UnclearError
        for validator in others:
            validator(text)
        return text

    return check


def _check_of_choice(field: Any) -> Callable[[Any], Any]:
    choices = field.choice_strings_to_values

    def check(value: Any) -> Any:
        if type(value) is not str or value not in choices or field.validators:
            raise UnclearError
        return choices[value]

    return check


def _check_of_json(field: Any) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        # What came as JSON can be written as JSON; the field would try.
        if value is None or field.binary:
            raise UnclearError
        for validator in field.validators:
            validator(value)
        return value

    return check


QUICK_CHECKS: dict[type, Callable[[Any], Callable[[Any], Any]]] = {
    serializers.CharField: _check_of_text,
    serializers.ChoiceField: _check_of_choice,
    serializers.JSONField: _check_of_json,
}


@cache
def _reader(serializer_class: Any) -> serializers.BaseSerializer[Any]:
    made: Any = serializer_class()
    made.body_reader = BodyReader(made)
    reader: serializers.BaseSerializer[Any] = made
    return reader


def validated_values(serializer_class: Any, data: Any) -> Any:
    """The validated values of data, as a serializer class has them. Raises ValidationError.

    One serializer does it for all requests, so its fields must look at nothing but their values.
    """
    return _reader(serializer_class).run_validation(data)


class Serializer(BuiltOnceMixin, StrictMixin, serializers.Serializer[Any]):
    """A strict serializer of plain fields."""


class ModelSerializer(BuiltOnceMixin, StrictMixin, serializers.ModelSerializer[Any]):
    """A strict serializer of a model."""
