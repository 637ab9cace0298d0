"""Text of an expression to tokens."""

import math
import re
from dataclasses import dataclass
from typing import Literal as OneOf

MAX_EXPRESSION_LENGTH = 1_000
MAX_INTEGER = 2**63 - 1
CLOSING = "}}"

TokenType = OneOf["number", "string", "name", "operator", "end"]

_SPACE = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"==|!=|<=|>=|&&|\|\||[<>!+\-*/().,\[\]]")
_STRING = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


class ExpressionError(ValueError):
    """An expression cannot be read or has no value; `position` counts characters from 0 in the text."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the language; `value` holds what a number or string stands for, else the text itself."""

    type: TokenType
    value: str | int | float
    position: int


def tokenize(text: str, start: int = 0) -> list[Token]:
    """Read tokens from `start` up to `}}` or the end of the text; the last token is of type `end`.

    The `end` token's position is that of the `}}`, or the length of the text where there is none.
    Raises ExpressionError for characters outside the language and for text over the length limit.
    """
    tokens: list[Token] = []
    position = start
    while True:
        if space := _SPACE.match(text, position):
            position = space.end()
        if position - start > MAX_EXPRESSION_LENGTH:
            raise ExpressionError(f"an expression has at most {MAX_EXPRESSION_LENGTH} characters", start)
        if position >= len(text) or text.startswith(CLOSING, position):
            return [*tokens, Token("end", "", position)]
        token, position = _read_token(text, position)
        tokens.append(token)


def _read_token(text: str, position: int) -> tuple[Token, int]:
    if match := _NUMBER.match(text, position):
        return Token("number", _number(match.group(), position), position), match.end()
    if match := _NAME.match(text, position):
        return Token("name", match.group(), position), match.end()
    if text[position] in "'\"":
        return _read_string(text, position)
    if match := _OPERATOR.match(text, position):
        return Token("operator", match.group(), position), match.end()
    raise ExpressionError(f"unexpected character {text[position]!r}", position)


def _read_string(text: str, position: int) -> tuple[Token, int]:
    # A string may not run past the limit, else an open quote would swallow a long text to its end.
    match = _STRING.match(text, position, position + MAX_EXPRESSION_LENGTH)
    if match is None:
        raise ExpressionError("a string is not closed, or too long", position)
    content = match.group(1) if match.group(1) is not None else match.group(2)

    def unescape(escape: re.Match[str]) -> str:
        if escape.group(1) not in _ESCAPED:
            raise ExpressionError(f"unknown escape {escape.group()!r}", position)
        return _ESCAPED[escape.group(1)]

    return Token("string", _ESCAPE.sub(unescape, content), position), match.end()


def _number(text: str, position: int) -> int | float:
    # 19 digits hold every 64-bit integer; int() refuses text of thousands of digits with another error.
    if text.isdigit() and len(text.lstrip("0")) <= 19 and int(text) <= MAX_INTEGER:
        return int(text)
    number = math.inf if text.isdigit() else float(text)
    if math.isinf(number):
        raise ExpressionError("a number is too large", position)
    return number
