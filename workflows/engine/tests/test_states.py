"""Which state may follow which, as tables."""

import pytest

from workflows.engine import (
    ENDED_EXECUTION_STATES,
    ENDED_STEP_STATES,
    EXECUTION_TRANSITIONS,
    STEP_TRANSITIONS,
    ExecutionState,
    StepState,
)

EXECUTION_TABLE = {
    "queued": "running failed cancelled",
    "running": "waiting succeeded failed cancelled",
    "waiting": "running succeeded failed cancelled",
    "succeeded": "",
    "failed": "queued",
    "cancelled": "queued",
}
STEP_TABLE = {
    "queued": "running skipped failed cancelled",
    "running": "queued waiting succeeded failed cancelled",
    "waiting": "succeeded failed cancelled",
    "succeeded": "",
    "failed": "queued",
    "cancelled": "queued",
    "skipped": "queued",
}


@pytest.mark.parametrize("state", ExecutionState)
def test_an_execution_changes_only_as_the_table_says(state: ExecutionState) -> None:
    assert EXECUTION_TRANSITIONS[state] == set(EXECUTION_TABLE[state].split())


@pytest.mark.parametrize("state", StepState)
def test_a_step_changes_only_as_the_table_says(state: StepState) -> None:
    assert STEP_TRANSITIONS[state] == set(STEP_TABLE[state].split())


def test_what_has_ended_is_left_only_by_a_retry() -> None:
    assert {
        state for state in ExecutionState if EXECUTION_TRANSITIONS[state] <= {"queued"}
    } == ENDED_EXECUTION_STATES
    assert {state for state in StepState if STEP_TRANSITIONS[state] <= {"queued"}} == ENDED_STEP_STATES
