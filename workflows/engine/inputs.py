"""The inputs of a step at the moment it runs."""

from typing import Any

from workflows.engine.definition import Step
from workflows.engine.errors import DefinitionError, InvalidInputsError
from workflows.engine.expression_tokens import ExpressionError
from workflows.engine.expressions import Context
from workflows.engine.schemas import schema_errors
from workflows.engine.step_kinds import StepKind
from workflows.engine.templates import has_expression, render


def resolve_inputs(step: Step, kind: StepKind, context: Context) -> dict[str, Any]:
    """Return a step's inputs with the expressions in its strings, at any depth, replaced by their values.

    Keys are left as they are. Raises InvalidInputsError, with pointers relative to the inputs, when an
    expression has no value or the result does not fit the kind's input schema.
    """
    inputs = {name: _resolve(value, context, (name,)) for name, value in step.inputs.items()}
    if errors := schema_errors(kind.input_schema, inputs):
        raise InvalidInputsError(errors)
    return inputs


def _resolve(value: Any, context: Context, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, context, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, context, (*path, index)) for index, item in enumerate(value)]
    if not isinstance(value, str) or not has_expression(value):
        return value
    try:
        return render(value, context)
    except ExpressionError as error:
        raise InvalidInputsError([DefinitionError.at(path, "invalid_expression", str(error))]) from error
