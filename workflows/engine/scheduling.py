"""What an execution does next: pure functions of its definition and the states of its steps."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from workflows.engine.definition import Definition, Step
from workflows.engine.expression_tokens import ExpressionError
from workflows.engine.expressions import Context, evaluate
from workflows.engine.states import ENDED_STEP_STATES, ExecutionState, StepState
from workflows.engine.templates import parse_condition

MAX_RETRY_DELAY_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next with an execution.

    ready: steps to run; among them are those queued for another attempt, whose delay the caller keeps.
    skip: steps to set to `skipped`.
    fail: steps to set to `failed` because their `if` has no value, with the reason.
    execution: the state of the execution once all that is done.
    """

    ready: tuple[str, ...]
    skip: tuple[str, ...]
    fail: Mapping[str, str]
    execution: ExecutionState


def next_steps(definition: Definition, states: Mapping[str, str], context: Context) -> Decision:
    """Decide what an execution does next; a step without a state is queued.

    A step is ready when all it needs has ended and its `if` holds. A step whose `if` does not hold is
    skipped, and those that need it go on as if it had succeeded with a null output. A step that needs a
    failed or cancelled one, or one skipped for that reason, is skipped. Branches that need nothing of a
    failed step go on to their end.
    """
    reached = _reached(definition, states)
    blocked: set[str] = set()
    ready: list[str] = []
    skip: list[str] = []
    fail: dict[str, str] = {}
    for step_id, needs in definition.needs.items():
        if _is_blocked(needs, reached, blocked):
            blocked.add(step_id)
        if reached[step_id] is not StepState.QUEUED or not _have_ended(needs, reached):
            continue
        try:
            runs = step_id not in blocked and _condition_holds(definition.step(step_id), reached, context)
        except ExpressionError as error:
            fail[step_id] = f"if: {error}"
            reached[step_id] = StepState.FAILED
            continue
        (ready if runs else skip).append(step_id)
        reached[step_id] = StepState.RUNNING if runs else StepState.SKIPPED
    return Decision(tuple(ready), tuple(skip), fail, _execution_state(reached.values()))


def steps_to_retry(definition: Definition, states: Mapping[str, str]) -> list[str]:
    """Return the steps a retry queues again: those failed, cancelled, or skipped for such a step."""
    reached = _reached(definition, states)
    again: set[str] = set()
    for step_id, needs in definition.needs.items():
        blocked = reached[step_id] is StepState.SKIPPED and _is_blocked(needs, reached, again)
        if blocked or reached[step_id] in (StepState.FAILED, StepState.CANCELLED):
            again.add(step_id)
    return [step.id for step in definition.steps if step.id in again]


def retry_delay(attempt: int, backoff_s: float) -> float:
    """Return the seconds to wait after a failed attempt (1 is the first): doubling, at most an hour."""
    # From 2**20 on every backoff is past the cap, and a larger power might not fit a float.
    return min(backoff_s * 2.0 ** min(attempt - 1, 20), MAX_RETRY_DELAY_S)


def _reached(definition: Definition, states: Mapping[str, str]) -> dict[str, StepState]:
    return {step.id: StepState(states.get(step.id, StepState.QUEUED)) for step in definition.steps}


def _is_blocked(needs: Sequence[str], states: Mapping[str, StepState], blocked: Collection[str]) -> bool:
    """Whether one of the needs failed, was cancelled, or was skipped because it was blocked itself."""
    return any(
        states[need] in (StepState.FAILED, StepState.CANCELLED)
        or (states[need] is StepState.SKIPPED and need in blocked)
        for need in needs
    )


def _have_ended(needs: Sequence[str], states: Mapping[str, StepState]) -> bool:
    return all(states[need] in ENDED_STEP_STATES for need in needs)


def _condition_holds(step: Step, states: Mapping[str, StepState], context: Context) -> bool:
    if step.condition is None:
        return True
    steps = dict(context.get("steps", {}))
    # What this very decision skips or fails is not in the caller's context yet.
    for step_id, state in states.items():
        steps[step_id] = {"output": None, **steps.get(step_id, {}), "status": state.value}
    return bool(evaluate(parse_condition(step.condition), {**context, "steps": steps}))


def _execution_state(states: Collection[StepState]) -> ExecutionState:
    if StepState.RUNNING in states or (StepState.QUEUED in states and StepState.WAITING not in states):
        return ExecutionState.RUNNING
    if StepState.WAITING in states:
        return ExecutionState.WAITING
    if StepState.FAILED in states:
        return ExecutionState.FAILED
    if StepState.CANCELLED in states:
        return ExecutionState.CANCELLED
    return ExecutionState.SUCCEEDED
