"""Workflow definitions, their expressions and the scheduling of their steps; knows no framework."""

from workflows.engine.checking import check_definition
from workflows.engine.definition import DEFINITION_SCHEMA, EVENT_TYPES, Definition, Schedule, Step
from workflows.engine.errors import DefinitionError, InvalidInputsError
from workflows.engine.expression_parser import parse
from workflows.engine.expression_tokens import ExpressionError
from workflows.engine.expressions import evaluate
from workflows.engine.inputs import resolve_inputs
from workflows.engine.schedules import next_run
from workflows.engine.scheduling import Decision, next_steps, retry_delay, steps_to_retry
from workflows.engine.schemas import schema_errors
from workflows.engine.states import (
    ENDED_EXECUTION_STATES,
    ENDED_STEP_STATES,
    EXECUTION_TRANSITIONS,
    STEP_TRANSITIONS,
    ExecutionState,
    StepState,
)
from workflows.engine.step_kinds import StepKind, StepKindRegistry

__all__ = [
    "DEFINITION_SCHEMA",
    "ENDED_EXECUTION_STATES",
    "ENDED_STEP_STATES",
    "EVENT_TYPES",
    "EXECUTION_TRANSITIONS",
    "STEP_TRANSITIONS",
    "Decision",
    "Definition",
    "DefinitionError",
    "ExecutionState",
    "ExpressionError",
    "InvalidInputsError",
    "Schedule",
    "Step",
    "StepKind",
    "StepKindRegistry",
    "StepState",
    "check_definition",
    "evaluate",
    "next_run",
    "next_steps",
    "parse",
    "resolve_inputs",
    "retry_delay",
    "schema_errors",
    "steps_to_retry",
]
