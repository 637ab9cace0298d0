"""`${{ expression }}` inside the strings of a step's inputs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.engine.expression_parser import Expression, parse, parse_until_closing
from workflows.engine.expression_tokens import CLOSING, ExpressionError
from workflows.engine.expressions import MAX_TEXT_LENGTH, Context, evaluate

OPENING = "${{"


@dataclass(frozen=True, slots=True)
class Template:
    """A string cut into plain text and expressions, in order; empty texts are left out."""

    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> list[Expression]:
        """The expressions in the string, in order."""
        return [part for part in self.parts if not isinstance(part, str)]

    @property
    def is_one_expression(self) -> bool:
        """Whether the string is exactly one expression, whose value then keeps its type."""
        return len(self.parts) == 1 and not isinstance(self.parts[0], str)


def parse_template(text: str) -> Template:
    """Cut a string at its `${{ }}`. Raises ExpressionError for a bad or an unclosed expression."""
    return Template(tuple(part for part in _parts(text) if part != ""))


def parse_condition(text: str) -> Expression:
    """Parse an `if`: a bare expression, or one wrapped in `${{ }}`. Raises ExpressionError."""
    if not text.lstrip().startswith(OPENING):
        return parse(text)
    template = parse_template(text.strip())
    if not template.is_one_expression:
        raise ExpressionError("a condition is one expression", 0)
    return template.expressions[0]


def has_expression(text: str) -> bool:
    """Whether a string holds at least one expression, well formed or not."""
    return OPENING in text


def is_one_expression(text: str) -> bool:
    """Whether a string is exactly one expression; also true when that expression is malformed."""
    try:
        return parse_template(text).is_one_expression
    except ExpressionError:
        return has_expression(text)


def render(text: str, context: Context) -> Any:
    """Return a string with its expressions replaced by their values.

    A string that is exactly one expression becomes that value with its type; in a longer string each
    expression becomes text (null is empty, lists and objects are JSON).
    Raises ExpressionError for an expression that has no value, and for a text over the bound.
    """
    template = parse_template(text)
    if template.is_one_expression:
        return evaluate(template.expressions[0], context)
    pieces = [part if isinstance(part, str) else _as_text(evaluate(part, context)) for part in template.parts]
    if sum(map(len, pieces)) > MAX_TEXT_LENGTH:
        raise ExpressionError(f"the text is longer than {MAX_TEXT_LENGTH} characters", 0)
    return "".join(pieces)


def _parts(text: str) -> Iterator[str | Expression]:
    position = 0
    while (opening := text.find(OPENING, position)) >= 0:
        yield text[position:opening]
        expression, closing = parse_until_closing(text, opening + len(OPENING))
        if closing >= len(text):
            raise ExpressionError(f"{OPENING!r} has no {CLOSING!r}", opening)
        yield expression
        position = closing + len(CLOSING)
    yield text[position:]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
