"""JSON Schema with pointers to the place, and with parts that are open until run time."""

from typing import Any

import pytest

from workflows.engine import schema_errors

OPEN = "${{ input.x }}"
BY_IDS_OR_FILTER = {
    "type": "object",
    "oneOf": [{"required": ["ids"]}, {"required": ["filter"]}],
    "properties": {"ids": {"type": "array"}, "filter": {"type": "object"}, "note": {"type": "string"}},
}


def faults(schema: dict[str, Any], value: Any, *, expressions: bool = True) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in schema_errors(schema, value, expressions=expressions)]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 3},
        {"enum": ["a", "b"]},
        {"const": 1},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        {"not": {"type": "string"}},
        {"type": "string", "maxLength": 3},
        {"$ref": "#/$defs/count", "$defs": {"count": {"type": "integer"}}},
    ],
)
def test_an_expression_fits_any_schema_until_it_is_resolved(schema: dict[str, Any]) -> None:
    assert faults(schema, OPEN) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": {"a": 1}}, {"a": OPEN}),
        ({"enum": [[1, 2]]}, [1, OPEN]),
        ({"uniqueItems": True}, [OPEN, OPEN]),
        ({"contains": {"const": 1}}, [OPEN]),
        ({"not": {"required": ["a"]}}, {"a": OPEN}),
        ({"type": "string", "pattern": "^a+$", "maxLength": 3}, f"a{OPEN}a"),
    ],
)
def test_a_whole_is_not_judged_while_a_part_is_open(schema: dict[str, Any], value: Any) -> None:
    assert faults(schema, value) == []
    assert faults(schema, value, expressions=False) != []


def test_a_long_value_leaves_room_for_what_is_wrong_about_it() -> None:
    (error,) = schema_errors({"type": "array", "maxItems": 3}, [{"id": f"step {n}"} for n in range(500)])
    assert error.detail.endswith("is too long")
    (error,) = schema_errors({"type": "array"}, "x" * 1000)
    assert error.detail.endswith("is not of type 'array'")


def test_that_none_of_several_forms_fits_is_known_all_the_same() -> None:
    assert faults(BY_IDS_OR_FILTER, {"note": OPEN}) == [("", "invalid")]
    assert faults(BY_IDS_OR_FILTER, {"note": OPEN, "ids": OPEN}) == []


def test_which_of_several_forms_fits_may_hang_on_an_expression() -> None:
    schema = {"oneOf": [{"properties": {"a": {"type": name}}} for name in ("integer", "string")]}
    assert faults(schema, {"a": OPEN}) == []


@pytest.mark.parametrize("expressions", [True, False])
def test_a_missing_or_an_unknown_property_is_pointed_at_itself(expressions: bool) -> None:
    schema = {
        "properties": {"a": {"additionalProperties": False, "required": ["b/c"], "properties": {"b/c": {}}}}
    }
    assert faults(schema, {"a": {"d": 1}}, expressions=expressions) == [
        ("/a/d", "unknown_field"),
        ("/a/b~1c", "required"),
    ]


def test_properties_may_be_known_by_a_pattern() -> None:
    schema = {"patternProperties": {"^x-": {}}, "additionalProperties": False}
    assert faults(schema, {"x-note": 1}) == []
    assert faults(schema, {"y-note": 1}) == [("", "unknown_field")]


def test_properties_that_are_not_named_may_have_a_schema() -> None:
    assert faults({"additionalProperties": {"type": "integer"}}, {"a": 1, "b": "x"}) == [("/b", "wrong_type")]
