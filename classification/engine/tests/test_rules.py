"""What a rule of people says, and on which texts it holds."""

from typing import Any

import pytest

from classification.engine.data import Text
from classification.engine.rules import Condition, Rule, RuleError, RuleSet, check, deciding

DRILL = Text(
    "Makita® DHP484-Z 18V Combi Drill, body only",
    description="Brushless motor. Supplied in a Café-style case.",
    manufacturer="MAKITA",
    part_number="DHP484Z",
    attributes={"voltage_v": 18, "colour": "Teal", "brushless": True, "torque": "54.0"},
)


def rule(*conditions: tuple[str, str, Any], number: int = 1, category: int = 7, position: int = 1) -> Rule:
    return Rule(number, f"Rule {number}", category, tuple(Condition(*c) for c in conditions), position)


def hits(text: Text, *rules: Rule) -> list[int]:
    return [found.id for found in RuleSet(rules).hits(text)]


@pytest.mark.parametrize(
    "condition",
    [
        ("manufacturer", "is", "makita"),
        ("manufacturer", "one_of", ["Bosch", "Makita"]),
        ("name", "contains", "combi drill"),
        ("name", "contains", "DRILL"),
        ("name", "contains", "dhp484 z"),
        ("name", "contains", "makita dhp*"),
        ("name", "contains", "*rill"),
        ("name", "contains", "c*m*i dr*"),
        ("name", "starts_with", "Makita DHP"),
        ("part_number", "starts_with", "dhp4"),
        ("part_number", "is", "DHP484Z"),
        ("description", "contains", "cafe style"),
        ("text", "contains", "brushless"),
        ("text", "contains", "teal"),
        ("attributes.voltage_v", "is", 18),
        ("attributes.voltage_v", "is", "18.0"),
        ("attributes.voltage_v", ">=", 18),
        ("attributes.voltage_v", "<=", 18.5),
        ("attributes.torque", ">=", 50),
        ("attributes.torque", "one_of", [12, 54]),
        ("attributes.colour", "is", "TEAL"),
        ("attributes.colour", "contains", "te*"),
        ("attributes.brushless", "is", True),
    ],
)
def test_a_condition_holds(condition: tuple[str, str, Any]) -> None:
    assert hits(DRILL, rule(condition)) == [1]


@pytest.mark.parametrize(
    "condition",
    [
        ("manufacturer", "is", "Makita Tools"),
        ("manufacturer", "one_of", ["Bosch", "DeWalt"]),
        ("name", "contains", "drills"),
        ("name", "contains", "rill"),
        ("name", "contains", "drill combi"),
        ("name", "contains", "rill*"),
        ("name", "contains", "d*rr*ill"),
        ("name", "starts_with", "DHP"),
        ("description", "contains", "drill"),
        ("text", "contains", "only brushless"),
        ("attributes.voltage_v", ">=", 18.1),
        ("attributes.voltage_v", "<=", 17),
        ("attributes.voltage_v", "is", "18 V"),
        ("attributes.colour", ">=", 1),
        ("attributes.brushless", "is", False),
        ("attributes.brushless", ">=", 1),
        ("attributes.nothing", "is", "x"),
    ],
)
def test_a_condition_does_not_hold(condition: tuple[str, str, Any]) -> None:
    assert hits(DRILL, rule(condition)) == []


def test_all_conditions_of_a_rule_must_hold() -> None:
    both = (("manufacturer", "is", "Makita"), ("name", "contains", "drill"))
    assert hits(DRILL, rule(*both)) == [1]
    assert hits(DRILL, rule(*both, ("name", "contains", "saw"))) == []


def test_a_rule_without_conditions_holds_of_everything_and_an_empty_text_has_no_words() -> None:
    assert hits(Text(""), rule()) == [1]
    assert hits(Text("!!!"), rule(("name", "contains", "drill"))) == []


def test_rules_are_found_in_the_order_of_their_positions() -> None:
    drill = ("name", "contains", "drill")
    rules = [rule(drill, number=number, position=position) for number, position in ((1, 9), (2, 3), (3, 3))]
    assert hits(DRILL, *rules) == [2, 3, 1]


def test_of_many_rules_only_those_with_a_word_of_the_text_are_tried() -> None:
    rules = [
        rule(("manufacturer", "is", "Makita"), ("text", "contains", f"word{number}"), number=number)
        for number in range(1000)
    ]
    prepared = RuleSet([*rules, rule(("text", "contains", "drill"), number=1000)])
    filed = [numbers for numbers in prepared._filed.values() if len(numbers) > 1]
    assert filed == []
    assert [found.id for found in prepared.hits(DRILL)] == [1000]


def test_the_smallest_position_decides_and_one_rule_speaks_for_each_category() -> None:
    rules = [
        rule(number=1, category=7, position=1),
        rule(number=2, category=7, position=1),
        rule(number=3, category=8, position=1),
        rule(number=4, category=9, position=2),
    ]
    assert [found.id for found in deciding(RuleSet(rules).hits(DRILL))] == [1, 3]
    assert deciding([]) == []


def test_attributes_that_are_too_much_for_the_whole_text_are_still_found_by_name() -> None:
    text = Text("x", attributes={f"a{number}": "y" * 200 for number in range(50)} | {"z": "needle"})
    assert hits(text, rule(("text", "contains", "needle"))) == []
    named = rule(("attributes.z", "is", "needle"))
    assert hits(text, named, rule(("text", "contains", "needle"), number=2)) == [1]


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        (("colour", "is", "x"), "field"),
        (("attributes.", "is", "x"), "field"),
        (("attributes." + "x" * 200, "is", "x"), "field"),
        (("name", "matches", "x"), "operator"),
        (("name", ">=", 5), "operator"),
        (("attributes.a", ">=", "5"), "value"),
        (("attributes.a", ">=", True), "value"),
        (("name", "is", 5), "value"),
        (("name", "is", ["x"]), "value"),
        (("name", "is", "x" * 201), "value"),
        (("name", "is", "!!!"), "value"),
        (("name", "is", None), "value"),
        (("name", "one_of", "x"), "value"),
        (("name", "one_of", []), "value"),
        (("name", "one_of", ["x", 5]), "value"),
        (("name", "one_of", ["x"] * 101), "value"),
        (("name", "contains", "a * b"), "value"),
        (("name", "contains", "a**b**c"), "value"),
        (("name", "contains", "a b c d e f g h i j k"), "value"),
        (("attributes.a", "is", {"x": 1}), "value"),
    ],
)
def test_a_condition_that_means_nothing_is_refused_with_its_place(
    condition: tuple[str, str, Any], place: str
) -> None:
    good = Condition("name", "contains", "drill")
    with pytest.raises(RuleError) as refused:
        check([good, Condition(*condition)])
    assert refused.value.place == f"1/{place}"


def test_a_text_made_to_be_slow_takes_no_more_comparisons_than_words() -> None:
    """Wildcards are looked for once from the left; with backtracking this would not end."""
    text = Text(("a" * 160 + " ") * 3, description="a" * 1500)
    assert hits(text, rule(("text", "contains", "a*a*a*b a*a*a*b"))) == []
