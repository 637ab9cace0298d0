"""JSON Schema (draft 2020-12) with errors that point at the place, and with room for expressions."""

import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from workflows.engine.errors import DefinitionError
from workflows.engine.step_kinds import JsonSchema
from workflows.engine.templates import has_expression, is_one_expression

_Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]

_CODES = {
    "required": "required",
    "additionalProperties": "unknown_field",
    "type": "wrong_type",
    "enum": "unknown_choice",
    "const": "unknown_choice",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
    "minItems": "too_few",
    "minProperties": "too_few",
    "maxItems": "too_many",
    "maxProperties": "too_many",
}

# A text around expressions is a string whatever they give; only what it says is open.
_ABOUT_TEXT = {"enum", "const", "pattern", "minLength", "maxLength", "format"}
# These compare or count whole values, and so cannot be judged while a part is open.
_ABOUT_WHOLE = {"enum", "const", "uniqueItems", "contains", "not", "if"}


def schema_errors(
    schema: JsonSchema, value: Any, path: Iterable[str | int] = (), *, expressions: bool = False
) -> list[DefinitionError]:
    """Return everything in which a value departs from a schema, with pointers that begin with `path`.

    A missing or unknown property is pointed at itself, not at its object. With `expressions`, a string that
    is one expression fits wherever it stands, because its value is known only at run time.
    """
    validator = (_OpenValidator if expressions else _ClosedValidator)(schema)
    start = list(path)
    return [_definition_error(start, error) for error in validator.iter_errors(value)]


def _definition_error(start: list[str | int], error: ValidationError) -> DefinitionError:
    code = _CODES.get(str(error.validator), "invalid")
    # A long value would leave no room for what is wrong about it.
    detail = error.message.replace(repr(error.instance), reprlib.repr(error.instance), 1)
    if error.validator == "pattern" and isinstance(error.schema, Mapping):
        detail = str(error.schema.get("description", detail))
    return DefinitionError.at([*start, *error.absolute_path], code, detail)


def _required(_: Validator, names: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield ValidationError(f"{name!r} is required", path=(name,))


def _additional_properties(
    validator: Validator, extra: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if extra is not False or "patternProperties" in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, extra, instance, schema)
    elif isinstance(instance, dict):
        known = schema.get("properties", {})
        for name in instance:
            if name not in known:
                allowed = ", ".join(known) or "none"
                yield ValidationError(f"{name!r} is not known here; allowed: {allowed}", path=(name,))


def _open(keyword: str, check: _Keyword) -> _Keyword:
    """Make a keyword hold its judgement on what an expression leaves open."""

    def check_what_is_known(
        validator: Any, constraint: Any, instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        if isinstance(instance, str) and has_expression(instance):
            if keyword in _ABOUT_TEXT or is_one_expression(instance):
                return
        elif keyword in _ABOUT_WHOLE and _holds_expression(instance):
            return
        elif keyword == "oneOf" and _holds_expression(instance):
            # Which of several fits may hang on the expression; that none does is certain.
            yield from validator.VALIDATORS["anyOf"](validator, constraint, instance, schema)
            return
        yield from check(validator, constraint, instance, schema) or ()

    return check_what_is_known


def _holds_expression(value: Any) -> bool:
    if isinstance(value, str):
        return has_expression(value)
    if isinstance(value, dict):
        return any(_holds_expression(item) for item in value.values())
    return isinstance(value, list) and any(_holds_expression(item) for item in value)


_extend: Callable[[type[Validator], Mapping[str, _Keyword]], type[Validator]] = extend
_ClosedValidator = _extend(
    Draft202012Validator, {"required": _required, "additionalProperties": _additional_properties}
)
_OpenValidator = _extend(
    _ClosedValidator,
    {keyword: _open(keyword, check) for keyword, check in _ClosedValidator.VALIDATORS.items()},
)
