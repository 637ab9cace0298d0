"""The language of conditions and inputs."""

from typing import Any

import pytest

from workflows.engine import ExpressionError, evaluate, parse

CONTEXT = {
    "input": {"name": "Hammer", "limit": 10, "tags": ["a", "b"], "nested": {"in": {"deep": [1, {"x": 2}]}}},
    "steps": {
        "pick": {"status": "succeeded", "output": {"count": 3, "product_ids": [7, 8, 9]}},
        "gate": {"status": "skipped", "output": None},
    },
}


def value_of(text: str) -> Any:
    return evaluate(parse(text), CONTEXT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("-7", -7),
        ("--7", 7),
        ("9223372036854775807", 2**63 - 1),
        ("007", 7),
        ("'single'", "single"),
        ('"double"', "double"),
        (r"'it\'s'", "it's"),
        (r"'a\nb\t\\'", "a\nb\t\\"),
        ("'}} ${{'", "}} ${{"),
        ("true", True),
        ("false", False),
        ("null", None),
    ],
)
def test_literals(text: str, value: Any) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("input.name", "Hammer"),
        ("input.tags[1]", "b"),
        ("input.nested.in.deep[1].x", 2),
        ("steps.pick.output.count", 3),
        ("steps.pick.output.product_ids[0]", 7),
        ("steps.pick.status", "succeeded"),
        ("steps . pick . status", "succeeded"),
    ],
)
def test_paths_read_the_context(text: str, value: Any) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *["input.ghost", "input.ghost.deeper[0]", "input.tags[2]", "input.tags.name", "input.name[0]"],
        *["input[0]", "steps.gate.output.note", "steps.ghost.output.x", "input.limit.x"],
    ],
)
def test_what_is_missing_is_null(text: str) -> None:
    assert value_of(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("12 / 2 / 3", 2),
        ("7 / 2", 3.5),
        ("2 * -3", -6),
        ("'a' + 'b' + input.name", "abHammer"),
        ("1 + 2 == 3", True),
        ("1 < 2 and 2 < 3", True),
        ("true or false and false", True),
        ("(true or false) and false", False),
        ("not 1 == 2", True),
        ("not not true", True),
        ("!false && (false || true)", True),
        ("1 <= 1 and 1 >= 1 and not (1 > 1) and 1 != 2", True),
        ("'abc' < 'abd'", True),
        ("1 < 1.5", True),
        ("1 == 1.0", True),
        ("1 == true", False),
        ("null == false", False),
        ("input.ghost == null", True),
        ("'7' == 7", False),
        ("7 in steps.pick.output.product_ids", True),
        ("true in steps.pick.output.product_ids", False),
        ("'am' in input.name", True),
        ("'name' in input", True),
        ("'x' not in input.tags", True),
        ("contains(input.tags, 'a')", True),
        ("contains('abc', 'z')", False),
        ("length(input.tags) + length('abc') + length(input)", 9),
        ("length(steps.gate.output.items)", 0),
    ],
)
def test_operators_and_functions(text: str, value: Any) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@pytest.mark.parametrize("text", ["null", "0", "''", "input.ghost", "input.tags == 1"])
def test_empty_values_count_as_false(text: str) -> None:
    assert value_of(f"not ({text})") is True


def test_and_and_or_leave_the_rest_unread_once_it_is_decided() -> None:
    assert value_of("input.ghost != null and input.ghost > 1") is False
    assert value_of("input.ghost == null or input.ghost > 1") is True


@pytest.mark.parametrize(
    "text",
    [
        "input.ghost > 0",
        "'a' < 1",
        "true < 2",
        "input.tags < input.tags",
        "1 + 'a'",
        "'a' * 2",
        "-'a'",
        "null + 1",
        "1 / 0",
        "1.0 / 0",
        "length(1)",
        "1 in 2",
        "1 in 'abc'",
        "contains(null, 1)",
        "input.tags + input.tags",
        "9223372036854775807 * 2",
        "1e308 * 10",
        "1e308 * 10 - 1e308 * 10",
    ],
)
def test_values_that_do_not_fit_the_operator_are_an_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        value_of(text)


def test_text_may_not_grow_past_its_bound() -> None:
    context = {"input": {"long": "x" * 60_000}}
    with pytest.raises(ExpressionError, match="too long"):
        evaluate(parse("input.long + input.long"), context)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("   ", 3),
        ("1 +", 3),
        ("1 2", 2),
        ("(1", 2),
        ("1)", 1),
        ("a", 0),
        ("1 + open('x')", 4),
        ("input.", 6),
        ("input.tags[-1]", 11),
        ("input.tags['a']", 11),
        ("input.tags[1.0]", 11),
        ("input.tags[0", 12),
        ("1 < 2 < 3", 6),
        ("1 == 2 == 3", 7),
        ("1 not 2", 6),
        ("length()", 0),
        ("length(1, 2)", 0),
        ("contains(1 2)", 11),
        ("length", 6),
        ("'open", 0),
        (r"'\x41'", 0),
        ("1 = 2", 2),
        ("1; 2", 1),
        ("input.__class__ @ 1", 16),
        ("99999999999999999999", 0),
        ("1 + 1e999", 4),
        ("1 }} 2", 2),
        ("1 & 1", 2),
        ("and", 0),
        ("٣", 0),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    assert raised.value.position == position


def test_no_attribute_of_python_can_be_reached() -> None:
    assert value_of("input.__class__") is None
    assert value_of("input.name.__class__.__mro__") is None
    assert value_of("input.tags.append") is None


def test_an_expression_is_at_most_a_thousand_characters_long() -> None:
    assert evaluate(parse("+".join(["1"] * 500)), {}) == 500
    with pytest.raises(ExpressionError, match="1000 characters"):
        parse("+".join(["1"] * 502))
    with pytest.raises(ExpressionError):
        parse(f"'{'x' * 1_000}'")


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("not ", ""), ("-", ""), ("length(", ")")])
def test_an_expression_nests_at_most_32_deep(opening: str, closing: str) -> None:
    parse(opening * 32 + "1" + closing * 32)
    with pytest.raises(ExpressionError, match="32 deep"):
        parse(opening * 33 + "1" + closing * 33)
