"""Tokens of an expression to a tree.

    expression = and { ("or" | "||") and }
    and        = not { ("and" | "&&") not }
    not        = ("not" | "!") not | comparison
    comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in") sum ]
    sum        = product { ("+" | "-") product }
    product    = sign { ("*" | "/") sign }
    sign       = "-" sign | primary
    primary    = number | string | "true" | "false" | "null" | path | call | "(" expression ")"
    path       = ("steps" | "input") { "." name | "[" integer "]" }
    call       = ("length" | "contains") "(" expression { "," expression } ")"

`!` is another spelling of `not` and binds as loosely: `!a == b` is `not (a == b)`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from workflows.engine.expression_tokens import CLOSING, ExpressionError, Token, tokenize

MAX_EXPRESSION_DEPTH = 32
FUNCTIONS = {"length": 1, "contains": 2}
PATH_ROOTS = ("steps", "input")

_CONSTANTS = {"true": True, "false": False, "null": None}
_SYNONYMS = {"&&": "and", "||": "or", "!": "not"}
_RESERVED = {"and", "or", "not", "in"}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out in the expression."""

    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the context: keys and indexes from `steps` or `input` on."""

    parts: tuple[str | int, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple["Expression", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not` or `-` before an operand."""

    operator: str
    operand: "Expression"
    position: int


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` between two or more operands."""

    operator: str
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One further operand of a chain, with the operator before it."""

    operator: str
    operand: "Expression"
    position: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one rank, from left to right; flat, so that a long sum does not make a deep tree."""

    first: "Expression"
    rest: tuple[Operation, ...]


Expression: TypeAlias = Literal | Path | Call | Unary | Logic | Chain


def parse(text: str) -> Expression:
    """Parse a whole text as one expression. Raises ExpressionError with the place of the fault."""
    expression, end = parse_until_closing(text, 0)
    if end < len(text):
        raise ExpressionError(f"unexpected {CLOSING!r}", end)
    return expression


def parse_until_closing(text: str, start: int) -> tuple[Expression, int]:
    """Parse the expression that begins at `start`; return it and the position of the `}}` (or text end)."""
    tokens = tokenize(text, start)
    return _Parser(tokens).parse(), tokens[-1].position


def paths(expression: Expression) -> Iterator[Path]:
    """Yield every path the expression reads."""
    match expression:
        case Path():
            yield expression
        case Call(arguments=operands) | Logic(operands=operands):
            for operand in operands:
                yield from paths(operand)
        case Unary(operand=operand):
            yield from paths(operand)
        case Chain():
            yield from paths(expression.first)
            for operation in expression.rest:
                yield from paths(operation.operand)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._depth = 0

    def parse(self) -> Expression:
        expression = self._expression()
        if self._token.type != "end":
            raise self._unexpected()
        return expression

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _symbol(self) -> str | None:
        """Return the operator or keyword the current token stands for, if it is one."""
        token = self._token
        if token.type == "operator" or (token.type == "name" and token.value in _RESERVED):
            return _SYNONYMS.get(str(token.value), str(token.value))
        return None

    def _advance(self) -> Token:
        token = self._token
        self._index += 1
        return token

    def _expect(self, symbol: str) -> None:
        if self._symbol() != symbol:
            raise self._unexpected(f", {symbol!r} is missing")
        self._advance()

    def _unexpected(self, hint: str = "") -> ExpressionError:
        token = self._token
        found = "end of the expression" if token.type == "end" else repr(token.value)
        return ExpressionError(f"unexpected {found}{hint}", token.position)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_EXPRESSION_DEPTH:
            message = f"an expression nests at most {MAX_EXPRESSION_DEPTH} deep"
            raise ExpressionError(message, self._token.position)
        yield
        self._depth -= 1

    def _expression(self) -> Expression:
        return self._logic("or", lambda: self._logic("and", self._not))

    def _logic(self, operator: str, operand: Callable[[], Expression]) -> Expression:
        operands = [operand()]
        while self._symbol() == operator:
            self._advance()
            operands.append(operand())
        return operands[0] if len(operands) == 1 else Logic(operator, tuple(operands))

    def _not(self) -> Expression:
        if self._symbol() != "not":
            return self._comparison()
        position = self._advance().position
        with self._deeper():
            return Unary("not", self._not(), position)

    def _comparison(self) -> Expression:
        left = self._sum()
        position = self._token.position
        operator = self._comparison_operator()
        if operator is None:
            return left
        comparison = Chain(left, (Operation(operator, self._sum(), position),))
        if self._symbol() in _COMPARISONS:
            raise self._unexpected(", comparisons do not chain: join them with 'and'")
        return comparison

    def _comparison_operator(self) -> str | None:
        symbol = self._symbol()
        if symbol in _COMPARISONS:
            self._advance()
            return symbol
        if symbol == "not":
            self._advance()
            self._expect("in")
            return "not in"
        return None

    def _sum(self) -> Expression:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Expression:
        return self._chain(("*", "/"), self._sign)

    def _chain(self, operators: tuple[str, ...], operand: Callable[[], Expression]) -> Expression:
        first = operand()
        rest: list[Operation] = []
        while (symbol := self._symbol()) in operators and symbol is not None:
            position = self._advance().position
            rest.append(Operation(symbol, operand(), position))
        return Chain(first, tuple(rest)) if rest else first

    def _sign(self) -> Expression:
        if self._symbol() != "-":
            return self._primary()
        position = self._advance().position
        with self._deeper():
            return Unary("-", self._sign(), position)

    def _primary(self) -> Expression:
        token = self._token
        if token.type in ("number", "string"):
            return Literal(self._advance().value)
        if self._symbol() == "(":
            return self._parenthesis()
        if token.type == "name" and self._symbol() is None:
            return self._name()
        raise self._unexpected()

    def _parenthesis(self) -> Expression:
        self._expect("(")
        with self._deeper():
            expression = self._expression()
        self._expect(")")
        return expression

    def _name(self) -> Expression:
        token = self._advance()
        name = str(token.value)
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        if name in PATH_ROOTS:
            return self._path(name, token.position)
        if name in FUNCTIONS:
            return self._call(name, token.position)
        known = ", ".join([*PATH_ROOTS, *(f"{function}()" for function in FUNCTIONS)])
        raise ExpressionError(f"unknown name {name!r}, known are {known}", token.position)

    def _path(self, root: str, position: int) -> Path:
        parts: list[str | int] = [root]
        readers: Mapping[str | None, Callable[[], str | int]] = {".": self._field, "[": self._item}
        while reader := readers.get(self._symbol()):
            self._advance()
            parts.append(reader())
        return Path(tuple(parts), position)

    def _field(self) -> str:
        if self._token.type != "name":
            raise self._unexpected(", a field name is missing")
        return str(self._advance().value)

    def _item(self) -> int:
        if not isinstance(self._token.value, int):
            raise self._unexpected(", an index from 0 on is missing")
        index = self._token.value
        self._advance()
        self._expect("]")
        return index

    def _call(self, function: str, position: int) -> Call:
        self._expect("(")
        arguments: list[Expression] = []
        with self._deeper():
            while self._symbol() != ")":
                if arguments:
                    self._expect(",")
                arguments.append(self._expression())
        self._expect(")")
        if len(arguments) != FUNCTIONS[function]:
            raise ExpressionError(f"{function}() takes {FUNCTIONS[function]} arguments", position)
        return Call(function, tuple(arguments), position)
