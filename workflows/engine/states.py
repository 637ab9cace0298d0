"""The states of an execution and of its steps, and which may follow which."""

from collections.abc import Mapping
from enum import StrEnum


class ExecutionState(StrEnum):
    """Where an execution stands. `waiting`: nothing can go on until somebody approves or rejects."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """Where a step stands. `queued` covers a step between two attempts too."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


ENDED_EXECUTION_STATES = frozenset(
    {ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.CANCELLED}
)
ENDED_STEP_STATES = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED, StepState.SKIPPED})

# A failed or cancelled execution is queued again by a retry; one that succeeded never changes.
EXECUTION_TRANSITIONS: Mapping[ExecutionState, frozenset[ExecutionState]] = {
    ExecutionState.QUEUED: frozenset(
        {ExecutionState.RUNNING, ExecutionState.FAILED, ExecutionState.CANCELLED}
    ),
    ExecutionState.RUNNING: frozenset(
        {
            ExecutionState.WAITING,
            ExecutionState.SUCCEEDED,
            ExecutionState.FAILED,
            ExecutionState.CANCELLED,
        }
    ),
    ExecutionState.WAITING: frozenset(
        {
            ExecutionState.RUNNING,
            ExecutionState.SUCCEEDED,
            ExecutionState.FAILED,
            ExecutionState.CANCELLED,
        }
    ),
    ExecutionState.SUCCEEDED: frozenset(),
    ExecutionState.FAILED: frozenset({ExecutionState.QUEUED}),
    ExecutionState.CANCELLED: frozenset({ExecutionState.QUEUED}),
}

# A running step is queued again for its next attempt, or when the process that ran it has died. A queued
# one fails at once when its `if` has no value. A retry queues what failed, was cancelled, or was skipped
# for that.
STEP_TRANSITIONS: Mapping[StepState, frozenset[StepState]] = {
    StepState.QUEUED: frozenset(
        {StepState.RUNNING, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED}
    ),
    StepState.RUNNING: frozenset(
        {
            StepState.QUEUED,
            StepState.WAITING,
            StepState.SUCCEEDED,
            StepState.FAILED,
            StepState.CANCELLED,
        }
    ),
    StepState.WAITING: frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED}),
    StepState.SUCCEEDED: frozenset(),
    StepState.FAILED: frozenset({StepState.QUEUED}),
    StepState.CANCELLED: frozenset({StepState.QUEUED}),
    StepState.SKIPPED: frozenset({StepState.QUEUED}),
}
