"""The inputs of a step when it runs."""

from typing import Any

import pytest

from workflows.engine import InvalidInputsError, Step, resolve_inputs
from workflows.engine.tests.kinds import CLASSIFY, POST, UPDATE, ExampleKind

CONTEXT = {
    "input": {"name": "Hammer", "ratio": 0.1, "limit": 10, "none": None, "flag": True, "ü": "ö"},
    "steps": {"pick": {"status": "succeeded", "output": {"product_ids": [7, 8]}}},
}


def resolve(kind: ExampleKind, inputs: dict[str, Any]) -> dict[str, Any]:
    return resolve_inputs(Step.from_json({"id": "a", "uses": kind.uses, "with": inputs}), kind, CONTEXT)


def content(value: Any) -> Any:
    return resolve(POST, {"url": "/", "json": value})["json"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ steps.pick.output.product_ids }}", [7, 8]),
        ("${{input.limit}}", 10),
        ("${{ input.none }}", None),
        ("${{ input.limit > 5 }}", True),
        ("${{ steps.pick.output }}", {"product_ids": [7, 8]}),
    ],
)
def test_a_string_that_is_one_expression_takes_its_value_with_its_type(text: str, value: Any) -> None:
    assert content(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no expression, { or }}", "no expression, { or }}"),
        ("Tool: ${{ input.name }}!", "Tool: Hammer!"),
        ("${{ input.name }}${{ input.limit }}", "Hammer10"),
        (" ${{ input.limit }}", " 10"),
        ("<${{ input.none }}>", "<>"),
        ("<${{ input.flag }}>", "<true>"),
        ("<${{ input.ratio }}>", "<0.1>"),
        ("<${{ 6 / 2 }}>", "<3>"),
        ("<${{ steps.pick.output }}>", '<{"product_ids":[7,8]}>'),
        ("<${{ '}}' }}>", "<}}>"),
        ("<${{ '${{' }}>", "<${{>"),
    ],
)
def test_expressions_in_a_longer_text_become_text(text: str, value: str) -> None:
    assert content(text) == value


def test_expressions_are_resolved_at_any_depth_but_not_in_keys() -> None:
    given = {"${{ input.name }}": [{"a": "${{ input.limit }}"}, 1, None]}
    assert content(given) == {"${{ input.name }}": [{"a": 10}, 1, None]}


def test_a_value_that_came_from_an_expression_is_not_resolved_again() -> None:
    assert content("${{ '${{ input.name }}' }}") == "${{ input.name }}"


def test_the_definition_keeps_its_expressions() -> None:
    step = Step.from_json({"id": "a", "uses": "http.post", "with": {"url": "${{ input.name }}"}})
    resolve_inputs(step, POST, CONTEXT)
    assert step.inputs == {"url": "${{ input.name }}"}


def test_resolved_inputs_must_fit_the_schema_of_the_kind() -> None:
    with pytest.raises(InvalidInputsError) as raised:
        resolve(CLASSIFY, {"products": "${{ input.name }}", "taxonomy": "${{ input.name }}"})
    assert sorted((error.pointer, error.code) for error in raised.value.errors) == [
        ("/products", "wrong_type"),
        ("/taxonomy", "invalid"),
    ]


def test_a_long_list_of_faults_is_cut_in_the_message_only() -> None:
    with pytest.raises(InvalidInputsError, match=r"and 40 more$") as raised:
        resolve(CLASSIFY, {"products": ["x"] * 50})
    assert len(raised.value.errors) == 50


def test_a_text_that_looks_like_an_expression_gets_no_leave_when_it_runs() -> None:
    with pytest.raises(InvalidInputsError, match="/set/status"):
        resolve(UPDATE, {"set": {"status": "${{ '${{ 1 }}' }}"}})


@pytest.mark.parametrize("text", ["${{ input.none > 1 }}", "x ${{ 1 / 0 }}"])
def test_an_expression_without_a_value_is_told_with_its_place(text: str) -> None:
    with pytest.raises(InvalidInputsError) as raised:
        content([1, {"a": text}])
    assert [(error.pointer, error.code) for error in raised.value.errors] == [
        ("/json/1/a", "invalid_expression")
    ]


def test_a_text_may_not_grow_past_its_bound() -> None:
    context = {"input": {"long": "x" * 60_000}}
    step = Step.from_json(
        {"id": "a", "uses": "http.post", "with": {"url": "${{ input.long }} ${{ input.long }}"}}
    )
    with pytest.raises(InvalidInputsError, match="longer than 100000"):
        resolve_inputs(step, POST, context)
