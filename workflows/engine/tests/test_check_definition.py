"""What is wrong with a definition, where, and under which code."""

from copy import deepcopy
from typing import Any

import pytest

from workflows.engine import check_definition
from workflows.engine.tests.kinds import contract_example, registry


def faults(definition: Any) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in check_definition(definition, registry())]


def with_steps(*steps: Any) -> dict[str, Any]:
    return {"on": {"manual": {}}, "steps": list(steps)}


def step(step_id: str, needs: Any = (), **more: Any) -> dict[str, Any]:
    return {"id": step_id, "uses": "approval", "with": {"role": "reviewer"}, "needs": list(needs), **more}


def with_triggers(**triggers: Any) -> dict[str, Any]:
    return {"on": triggers, "steps": [step("gate")]}


def test_the_definition_of_the_contract_has_no_fault() -> None:
    assert faults(contract_example()) == []


def test_checking_leaves_the_definition_as_it_is() -> None:
    definition = contract_example()
    check_definition(definition, registry())
    assert definition == contract_example()


def test_all_faults_are_told_at_once() -> None:
    definition = contract_example()
    definition["on"]["schedule"]["cron"] = "0 25 * * *"
    definition["steps"][0]["uses"] = "products.pick"
    definition["steps"][2]["needs"] = ["clasify"]
    definition["steps"][2]["if"] = "1 >"
    del definition["steps"][3]["with"]["set"]
    assert faults(definition) == [
        ("/on/schedule/cron", "invalid_cron"),
        ("/steps/0/uses", "unknown_step_kind"),
        ("/steps/2/needs/0", "unknown_need"),
        ("/steps/2/if", "invalid_expression"),
        ("/steps/3/with/set", "required"),
    ]


@pytest.mark.parametrize("definition", [None, True, 0, 1.5, "on", [], [{}]])
def test_a_definition_is_an_object(definition: Any) -> None:
    assert faults(definition) == [("", "wrong_type")]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({}, [("/on", "required"), ("/steps", "required")]),
        (with_steps(), [("/steps", "too_few")]),
        ({**with_steps(step("a")), "name": "x"}, [("/name", "unknown_field")]),
        (with_triggers(), [("/on", "too_few")]),
        (with_triggers(manual={"by": 1}), [("/on/manual/by", "unknown_field")]),
        (with_triggers(hourly={}), [("/on/hourly", "unknown_field")]),
        (with_triggers(event={}), [("/on/event/types", "required")]),
        (with_triggers(event={"types": []}), [("/on/event/types", "too_few")]),
        (with_triggers(schedule={"cron": 5}), [("/on/schedule/cron", "wrong_type")]),
        (with_steps("step"), [("/steps/0", "wrong_type")]),
        (with_steps(step("a", run="x")), [("/steps/0/run", "unknown_field")]),
        (with_steps({"with": {}}), [("/steps/0/id", "required"), ("/steps/0/uses", "required")]),
        (with_steps(step("a", **{"with": []})), [("/steps/0/with", "wrong_type")]),
        (with_steps(step("a", **{"if": True})), [("/steps/0/if", "wrong_type")]),
        (with_steps(step("a", **{"a/b~c": 1})), [("/steps/0/a~1b~0c", "unknown_field")]),
    ],
)
def test_the_form_is_checked_and_unknown_keys_are_named(
    definition: Any, expected: list[tuple[str, str]]
) -> None:
    assert faults(definition) == expected


@pytest.mark.parametrize(
    ("field", "value", "pointer", "code"),
    [
        ("retry", {}, "/retry/max_attempts", "required"),
        ("retry", {"max_attempts": 0}, "/retry/max_attempts", "out_of_range"),
        ("retry", {"max_attempts": 21}, "/retry/max_attempts", "out_of_range"),
        ("retry", {"max_attempts": True}, "/retry/max_attempts", "wrong_type"),
        ("retry", {"max_attempts": 1, "backoff_s": 3601}, "/retry/backoff_s", "out_of_range"),
        ("retry", {"max_attempts": 1, "jitter": 1}, "/retry/jitter", "unknown_field"),
        ("timeout_s", 0, "/timeout_s", "out_of_range"),
        ("timeout_s", 86_401, "/timeout_s", "out_of_range"),
        ("timeout_s", 1.5, "/timeout_s", "wrong_type"),
    ],
)
def test_retries_and_time_limits_have_bounds(field: str, value: Any, pointer: str, code: str) -> None:
    assert faults(with_steps(step("a", **{field: value}))) == [(f"/steps/0{pointer}", code)]


@pytest.mark.parametrize("step_id", ["", "1st", "Pick", "pick-it", "pick\n", "ü", "a" * 51])
def test_a_step_id_is_lower_case_and_short(step_id: str) -> None:
    assert faults(with_steps(step(step_id))) == [("/steps/0/id", "invalid")]


def test_a_step_id_of_fifty_characters_is_good() -> None:
    assert faults(with_steps(step("a" * 50))) == []


def test_two_steps_may_not_share_an_id() -> None:
    assert faults(with_steps(step("a"), step("b"), step("a"))) == [("/steps/2/id", "duplicate_id")]


def test_a_hundred_steps_are_allowed_and_one_more_is_not() -> None:
    steps = [step(f"s{number}") for number in range(101)]
    assert faults(with_steps(*steps[:100])) == []
    assert faults(with_steps(*steps)) == [("/steps", "too_many")]


def test_an_unknown_kind_is_answered_with_those_there_are() -> None:
    [error] = check_definition(with_steps({"id": "a", "uses": "products.drop"}), registry())
    assert (error.pointer, error.code) == ("/steps/0/uses", "unknown_step_kind")
    assert "approval, classification.classify, http.post, products.select, products.update" in error.detail


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, [("/filter", "required")]),
        ({"filter": []}, [("/filter", "wrong_type")]),
        ({"filter": {}, "limit": 0}, [("/limit", "out_of_range")]),
        ({"filter": {}, "limit": "ten"}, [("/limit", "wrong_type")]),
        ({"filter": {}, "order": "sku"}, [("/order", "unknown_field")]),
    ],
)
def test_inputs_are_checked_by_the_schema_of_the_kind(
    inputs: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = faults(with_steps({"id": "a", "uses": "products.select", "with": inputs}))
    assert found == [(f"/steps/0/with{pointer}", code) for pointer, code in expected]


def test_inputs_that_are_required_are_missed_when_there_is_no_with() -> None:
    assert faults(with_steps({"id": "a", "uses": "approval"})) == [("/steps/0/with/role", "required")]


@pytest.mark.parametrize(
    "inputs",
    [
        {"products": "${{ input.ids }}"},
        {"products": [1, "${{ input.id }}"]},
        {"products": [], "taxonomy": "${{ input.taxonomy }}"},
        {"products": [], "taxonomy": "nexus-${{ input.taxonomy }}"},
        {"products": [], "mode": " ${{ input.mode }}"},
    ],
)
def test_an_expression_fits_wherever_its_value_may_fit(inputs: dict[str, Any]) -> None:
    assert faults(with_steps({"id": "a", "uses": "classification.classify", "with": inputs})) == []


def test_text_around_an_expression_is_text_whatever_it_gives() -> None:
    inputs = {"products": "ids: ${{ input.ids }}"}
    definition = with_steps({"id": "a", "uses": "classification.classify", "with": inputs})
    assert faults(definition) == [("/steps/0/with/products", "wrong_type")]


def test_needs_name_other_steps_once() -> None:
    definition = with_steps(step("a"), step("b", ["a", "ghost", "b", "a"]))
    assert faults(definition) == [
        ("/steps/1/needs/1", "unknown_need"),
        ("/steps/1/needs/2", "self_need"),
        ("/steps/1/needs/3", "duplicate_need"),
    ]


def test_a_cycle_is_told_once_with_its_steps() -> None:
    definition = with_steps(step("start"), step("a", ["start", "c"]), step("b", ["a"]), step("c", ["b"]))
    [error] = check_definition(definition, registry())
    assert (error.pointer, error.code) == ("/steps/1/needs/1", "cycle")
    assert "'a' needs 'c' needs 'b' needs 'a'" in error.detail


def test_two_cycles_apart_are_both_told() -> None:
    definition = with_steps(step("a", ["b"]), step("b", ["a"]), step("c", ["d"]), step("d", ["c", "a"]))
    assert faults(definition) == [("/steps/0/needs/0", "cycle"), ("/steps/2/needs/0", "cycle")]


def test_a_step_may_need_one_that_stands_below_it() -> None:
    assert faults(with_steps(step("last", ["first"]), step("first"))) == []


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("steps.pick.output.count > 0", None),
        ("${{ steps.pick.output.count > 0 }}", None),
        ("steps.pick.output", None),
        ("steps.pick.output.product_ids[0] == 1", None),
        ("steps.pick.status == 'succeeded' and input.anything.at[3].all", None),
        ("", "invalid_expression"),
        ("${{ true }} and more", "invalid_expression"),
        ("steps.pick.output.total > 0", "unknown_output"),
        ("steps.pick.output.count.more", "unknown_output"),
        ("steps.pick.output[0]", "unknown_output"),
        ("steps.pick.output.product_ids.first", "unknown_output"),
        ("steps.pick.product_ids", "invalid_reference"),
        ("steps.pick.status.code", "invalid_reference"),
        ("steps.pick", "invalid_reference"),
        ("steps", "invalid_reference"),
        ("steps.ghost.status", "unknown_step"),
        ("steps.other.status", "step_not_needed"),
        ("steps.test.status", "step_not_needed"),
        ("steps.later.status", "step_not_needed"),
    ],
)
def test_a_condition_reads_only_what_is_sure_to_be_there(condition: str, code: str | None) -> None:
    definition = with_steps(
        {"id": "pick", "uses": "products.select", "with": {"filter": {}}},
        step("between", ["pick"]),
        step("other"),
        step("test", ["between"], **{"if": condition}),
        step("later", ["test"]),
    )
    assert faults(definition) == ([("/steps/3/if", code)] if code else [])


def test_expressions_are_checked_at_any_depth_of_the_inputs() -> None:
    content = {"a": [{"b": "x ${{ 1 + }} y"}, "${{ steps.ghost.status }}", "x ${{ 1 + 1"]}
    definition = with_steps({"id": "a", "uses": "http.post", "with": {"url": "/", "json": content}})
    assert faults(definition) == [
        ("/steps/0/with/json/a/0/b", "invalid_expression"),
        ("/steps/0/with/json/a/1", "unknown_step"),
        ("/steps/0/with/json/a/2", "invalid_expression"),
    ]


def test_every_bad_reference_of_an_expression_is_told() -> None:
    definition = with_steps(step("a", **{"if": "steps.b.status == steps.c.status"}))
    assert faults(definition) == [("/steps/0/if", "unknown_step"), ("/steps/0/if", "unknown_step")]


def test_the_output_of_an_unknown_kind_is_not_guessed_at() -> None:
    definition = with_steps({"id": "a", "uses": "x"}, step("b", ["a"], **{"if": "steps.a.output.anything"}))
    assert faults(definition) == [("/steps/0/uses", "unknown_step_kind")]


@pytest.mark.parametrize(
    "cron", ["0 2 * * *", "*/5 8-18 * * MON-FRI", "0 0 L * *", "0 0 29 2 *", "0 0 * * MON#1"]
)
def test_good_cron_lines_pass(cron: str) -> None:
    assert faults(with_triggers(schedule={"cron": cron})) == []


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "0 24 * * *",
        "0 0 30 2 *",
        "@daily",
        "*/0 * * * *",
        "0 0 1 1 x",
        "9" * 190 + " * * * *",
        "0 0 */20 * MON#2",
        "² * * * *",
        "1L2 * * * L",
        "0 0 * * L/2",
    ],
)
def test_bad_cron_lines_and_those_that_never_come_due_do_not(cron: str) -> None:
    assert faults(with_triggers(schedule={"cron": cron})) == [("/on/schedule/cron", "invalid_cron")]


def test_a_cron_line_is_short() -> None:
    cron = "0," * 100 + "0 * * * *"
    assert faults(with_triggers(schedule={"cron": cron})) == [("/on/schedule/cron", "invalid")]


@pytest.mark.parametrize(
    "timezone", ["", "Berlin", "Europe", "../etc/passwd", "/etc/localtime", "europe/berlin"]
)
def test_a_timezone_is_one_of_the_database(timezone: str) -> None:
    definition = with_triggers(schedule={"cron": "0 2 * * *", "timezone": timezone})
    assert faults(definition) == [("/on/schedule/timezone", "unknown_timezone")]


def test_event_types_are_known_and_listed_once() -> None:
    types = ["product.created", "product.eaten", "product.created"]
    assert faults(with_triggers(event={"types": types})) == [
        ("/on/event/types/1", "unknown_event_type"),
        ("/on/event/types/2", "duplicate_event_type"),
    ]


def test_the_events_that_exist_can_be_given() -> None:
    definition = with_triggers(event={"types": ["order.placed"]})
    assert check_definition(definition, registry(), {"order.placed"}) == []


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        (nested(5_000), "/steps/0/with/json" + "/0" * 28, "too_deep"),
        ([0] * 20_000, "", "too_large"),
        ("x" * 300_000, "", "too_large"),
        ({"k" * 300_000: 1}, "", "too_large"),
        ({"k" * 201: 1}, "/steps/0/with/json", "invalid_key"),
        ({"a\0": 1}, "/steps/0/with/json", "invalid_key"),
        ("a\0b", "/steps/0/with/json", "invalid_text"),
        ("\ud800", "/steps/0/with/json", "invalid_text"),
        (10**5_000, "/steps/0/with/json", "invalid_number"),
        (float("nan"), "/steps/0/with/json", "invalid_number"),
        ({1, 2}, "/steps/0/with/json", "wrong_type"),
    ],
    ids=[
        *["deep list", "long list", "long text", "very long key", "long key", "NUL in a key", "NUL"],
        *["half a surrogate pair", "huge integer", "not a number", "no JSON type"],
    ],
)
def test_what_is_past_the_bounds_is_told_and_not_looked_into(content: Any, pointer: str, code: str) -> None:
    definition = with_steps({"id": "a", "uses": "http.post", "with": {"url": "/", "json": content}})
    assert faults(definition) == [(pointer, code)]


def test_a_long_detail_is_cut() -> None:
    definition = with_steps({"id": "a", "uses": "x" * 5_000})
    assert all(len(error.detail) <= 400 for error in check_definition(deepcopy(definition), registry()))
