"""What an execution does next."""

from typing import Any

import pytest

from workflows.engine import Decision, Definition, next_steps, retry_delay, steps_to_retry
from workflows.engine.tests.kinds import contract_example, steps_definition


def step(step_id: str, *needs: str, condition: str | None = None) -> dict[str, Any]:
    given: dict[str, Any] = {"id": step_id, "needs": list(needs)}
    return given if condition is None else {**given, "if": condition}


CHAIN = steps_definition(step("a"), step("b", "a"), step("c", "b"))
DIAMOND = steps_definition(
    step("top"), step("left", "top"), step("right", "top"), step("end", "left", "right")
)


def decide(definition: Definition, context: Any = None, **states: str) -> Decision:
    return next_steps(definition, states, context or {"input": {}, "steps": {}})


def test_at_first_the_steps_that_need_nothing_are_ready() -> None:
    assert decide(steps_definition(step("a"), step("b"), step("c", "a"))).ready == ("a", "b")


def test_a_step_is_ready_when_all_it_needs_has_ended() -> None:
    assert decide(DIAMOND, top="succeeded", left="succeeded", right="running").ready == ()
    assert decide(DIAMOND, top="succeeded", left="succeeded", right="succeeded").ready == ("end",)


@pytest.mark.parametrize("state", ["running", "waiting", "succeeded"])
def test_a_step_that_has_begun_is_not_ready_again(state: str) -> None:
    assert decide(CHAIN, a=state).ready == (() if state != "succeeded" else ("b",))


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_needs_a_failed_or_cancelled_step_is_skipped_with_all_below_it(state: str) -> None:
    decision = decide(CHAIN, a=state)
    assert (decision.ready, decision.skip, decision.execution) == ((), ("b", "c"), state)


def test_a_branch_beside_a_failed_step_goes_on_to_its_end() -> None:
    decision = decide(DIAMOND, top="succeeded", left="failed")
    assert (decision.ready, decision.skip, decision.execution) == (("right",), (), "running")
    decision = decide(DIAMOND, top="succeeded", left="failed", right="succeeded")
    assert (decision.skip, decision.execution) == (("end",), "failed")


def test_what_was_skipped_for_a_failure_in_an_earlier_decision_still_blocks() -> None:
    decision = decide(CHAIN, a="failed", b="skipped")
    assert (decision.ready, decision.skip) == ((), ("c",))


def test_a_step_whose_if_is_false_is_skipped_and_what_needs_it_goes_on() -> None:
    definition = steps_definition(step("a", condition="input.go"), step("b", "a"))
    decision = decide(definition)
    assert (decision.ready, decision.skip, decision.execution) == (("b",), ("a",), "running")
    assert decide(definition, a="skipped").ready == ("b",)
    assert decide(definition, {"input": {"go": True}}).ready == ("a",)


def test_one_decision_passes_through_a_whole_row_of_skipped_steps() -> None:
    row = [
        step(f"s{number}", *([f"s{number - 1}"] if number else []), condition="false") for number in range(9)
    ]
    decision = decide(steps_definition(*row))
    assert len(decision.skip) == 9
    assert decision.execution == "succeeded"


def test_a_condition_sees_what_the_same_decision_has_skipped() -> None:
    definition = steps_definition(
        step("a", condition="false"),
        step("b", "a", condition="steps.a.status == 'skipped' and steps.a.output == null"),
    )
    assert decide(definition).ready == ("b",)


def test_a_condition_reads_the_outputs_of_the_context() -> None:
    definition = Definition.from_json(contract_example())
    context: dict[str, Any] = {
        "input": {},
        "steps": {"classify": {"status": "succeeded", "output": {"needs_review": 0}}},
    }
    decision = decide(definition, context, pick="succeeded", classify="succeeded")
    assert (decision.skip, decision.ready) == (("gate",), ("publish",))
    context["steps"]["classify"]["output"] = {"needs_review": 2}
    assert decide(definition, context, pick="succeeded", classify="succeeded").ready == ("gate",)


def test_a_step_whose_if_has_no_value_fails_and_says_why() -> None:
    definition = steps_definition(step("a", condition="input.count > 1"), step("b", "a"))
    decision = decide(definition)
    assert list(decision.fail) == ["a"]
    assert "null and a number" in decision.fail["a"]
    assert (decision.ready, decision.skip, decision.execution) == ((), ("b",), "failed")


def test_an_if_is_not_read_when_a_needed_step_failed() -> None:
    definition = steps_definition(step("a"), step("b", "a", condition="input.count > 1"))
    assert (decide(definition, a="failed").skip, decide(definition, a="failed").fail) == (("b",), {})


def test_steps_may_stand_in_any_order() -> None:
    definition = steps_definition(step("c", "b"), step("b", "a", condition="false"), step("a"))
    assert decide(definition, a="succeeded").skip == ("b",)
    assert decide(definition, a="succeeded").ready == ("c",)


@pytest.mark.parametrize(
    ("states", "execution"),
    [
        ({}, "running"),
        ({"top": "running"}, "running"),
        ({"top": "waiting"}, "waiting"),
        ({"top": "succeeded", "left": "waiting", "right": "running"}, "running"),
        ({"top": "succeeded", "left": "waiting", "right": "succeeded"}, "waiting"),
        ({"top": "succeeded", "left": "waiting", "right": "failed"}, "waiting"),
        ({"top": "succeeded", "left": "succeeded", "right": "succeeded", "end": "succeeded"}, "succeeded"),
        ({"top": "succeeded", "left": "skipped", "right": "succeeded", "end": "succeeded"}, "succeeded"),
        ({"top": "succeeded", "left": "failed", "right": "cancelled", "end": "skipped"}, "failed"),
        ({"top": "succeeded", "left": "succeeded", "right": "cancelled", "end": "skipped"}, "cancelled"),
    ],
)
def test_the_state_of_the_execution_follows_from_its_steps(states: dict[str, str], execution: str) -> None:
    assert decide(DIAMOND, **states).execution == execution


def test_a_hundred_steps_that_each_need_all_before_them_are_decided() -> None:
    dense = [step(f"s{number}", *(f"s{before}" for before in range(number))) for number in range(100)]
    decision = decide(steps_definition(*dense), s0="failed")
    assert len(decision.skip) == 99


def test_a_retry_takes_up_what_failed_and_what_was_skipped_for_it() -> None:
    definition = steps_definition(
        step("done"),
        step("broken", "done"),
        step("after", "broken"),
        step("last", "after"),
        step("no", "done"),
    )
    states = {"done": "succeeded", "broken": "failed", "after": "skipped", "last": "skipped", "no": "skipped"}
    assert steps_to_retry(definition, states) == ["broken", "after", "last"]
    assert steps_to_retry(definition, {**states, "broken": "cancelled"}) == ["broken", "after", "last"]


def test_a_definition_is_read_with_its_defaults() -> None:
    definition = Definition.from_json(contract_example())
    publish, pick = definition.step("publish"), definition.step("pick")
    assert (publish.max_attempts, publish.backoff_s, publish.timeout_s) == (3, 10, 600)
    assert (pick.max_attempts, pick.needs, pick.condition, pick.timeout_s) == (1, (), None, 3600)
    assert definition.schedule is not None
    assert (definition.schedule.cron, definition.schedule.timezone) == ("0 2 * * *", "Europe/Berlin")
    assert definition.manual
    assert definition.event_types == {"product.created"}


def test_a_definition_with_a_cycle_cannot_be_ordered() -> None:
    with pytest.raises(ValueError, match="need one another"):
        decide(steps_definition(step("a", "b"), step("b", "a")))


@pytest.mark.parametrize(
    ("attempt", "backoff_s", "delay"),
    [
        (1, 10, 10),
        (2, 10, 20),
        (3, 10, 40),
        (9, 10, 2560),
        (10, 10, 3600),
        (20, 3600, 3600),
        (5, 0, 0),
        (9**9, 1, 3600),
    ],
)
def test_the_wait_before_another_attempt_doubles_up_to_an_hour(
    attempt: int, backoff_s: float, delay: float
) -> None:
    assert retry_delay(attempt, backoff_s) == delay
