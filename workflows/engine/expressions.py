"""The value of an expression in a context.

The context is `{"input": {...}, "steps": {"<id>": {"status": "...", "output": {...} or None}}}`.
Values are those of JSON. What is missing is null. Null, false, 0, "", and empty lists and objects are false.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any

from workflows.engine.expression_parser import Call, Chain, Expression, Literal, Logic, Operation, Path, Unary
from workflows.engine.expression_tokens import MAX_INTEGER, ExpressionError

MAX_TEXT_LENGTH = 100_000

Context = Mapping[str, Any]

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def evaluate(expression: Expression, context: Context) -> Any:
    """Return the value of an expression.

    Raises ExpressionError when types do not fit an operator, for a division by zero, and for a number or
    text that grows past its bound.
    """
    match expression:
        case Literal():
            return expression.value
        case Path():
            return _look_up(expression.parts, context)
        case Logic():
            values = (bool(evaluate(operand, context)) for operand in expression.operands)
            return all(values) if expression.operator == "and" else any(values)
        case Unary():
            return _unary(expression, evaluate(expression.operand, context))
        case Call():
            return _call(expression, [evaluate(argument, context) for argument in expression.arguments])
        case Chain():
            return _chain(expression, context)


def _look_up(parts: Sequence[str | int], context: Context) -> Any:
    value: Any = context
    for part in parts:
        if isinstance(part, str) and isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(part, int) and isinstance(value, list) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _unary(expression: Unary, value: Any) -> Any:
    if expression.operator == "not":
        return not value
    if not _is_number(value):
        raise ExpressionError(f"{_type_name(value)} has no negative", expression.position)
    return -value


def _chain(expression: Chain, context: Context) -> Any:
    value = evaluate(expression.first, context)
    for operation in expression.rest:
        value = _operate(operation, value, evaluate(operation.operand, context))
    return value


def _operate(operation: Operation, left: Any, right: Any) -> Any:
    operator = operation.operator
    if operator in ("==", "!="):
        return _is_equal(left, right) == (operator == "==")
    if operator in ("in", "not in"):
        return _is_in(left, right, operation.position) == (operator == "in")
    if operator in _ORDER:
        _require_alike(operation, left, right)
        return _ORDER[operator](left, right)
    return _calculate(operation, left, right)


def _calculate(operation: Operation, left: Any, right: Any) -> Any:
    if operation.operator == "+" and isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_TEXT_LENGTH:
            raise ExpressionError("the text is too long", operation.position)
        return left + right
    if not (_is_number(left) and _is_number(right)):
        raise _type_mismatch(operation, left, right)
    try:
        result = _arithmetic(operation.operator, left, right)
    except (ZeroDivisionError, OverflowError) as error:
        raise ExpressionError(str(error), operation.position) from error
    if not math.isfinite(result) or (isinstance(result, int) and abs(result) > MAX_INTEGER):
        raise ExpressionError("the number is too large", operation.position)
    return result


def _arithmetic(operator: str, left: int | float, right: int | float) -> int | float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    # Whole quotients stay integers, so that 6 / 2 reads 3 in a text and fits an integer input.
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _call(expression: Call, arguments: list[Any]) -> Any:
    if expression.function == "contains":
        whole, part = arguments
        return _is_in(part, whole, expression.position)
    value = arguments[0]
    if value is None:
        return 0
    if not isinstance(value, str | list | Mapping):
        raise ExpressionError(f"{_type_name(value)} has no length", expression.position)
    return len(value)


def _is_in(part: Any, whole: Any, position: int) -> bool:
    if isinstance(whole, str) and isinstance(part, str):
        return part in whole
    if isinstance(whole, list):
        return any(_is_equal(part, item) for item in whole)
    if isinstance(whole, Mapping) and isinstance(part, str):
        return part in whole
    raise ExpressionError(f"{_type_name(whole)} cannot contain {_type_name(part)}", position)


def _is_equal(left: Any, right: Any) -> bool:
    # Python's True == 1 does not hold in JSON.
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _require_alike(operation: Operation, left: Any, right: Any) -> None:
    both_text = isinstance(left, str) and isinstance(right, str)
    if not both_text and not (_is_number(left) and _is_number(right)):
        raise _type_mismatch(operation, left, right)


def _type_mismatch(operation: Operation, left: Any, right: Any) -> ExpressionError:
    types = f"{_type_name(left)} and {_type_name(right)}"
    return ExpressionError(f"{operation.operator!r} does not work on {types}", operation.position)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, Mapping) else "a number"
