"""Bounds on a definition as a JSON value, so that every later check may walk it without care."""

from collections.abc import Iterator
from typing import Any

from workflows.engine.errors import DefinitionError
from workflows.engine.expression_tokens import MAX_INTEGER

MAX_DEPTH = 32
MAX_VALUES = 10_000
MAX_CHARACTERS = 200_000
MAX_KEY_LENGTH = 200

_Path = tuple[str | int, ...]


def limit_errors(definition: Any) -> list[DefinitionError]:
    """Return what makes a value too large, too deep, or impossible to keep as JSON in PostgreSQL."""
    errors: list[DefinitionError] = []
    waiting: list[tuple[_Path, Any]] = [((), definition)]
    values = characters = 0
    while waiting:
        path, value = waiting.pop()
        values += 1
        characters += len(value) if isinstance(value, str) else 0
        characters += sum(len(key) for key in value if isinstance(key, str)) if isinstance(value, dict) else 0
        size = len(value) if isinstance(value, dict | list) else 0
        if values + len(waiting) + size > MAX_VALUES or characters > MAX_CHARACTERS:
            detail = f"a definition has at most {MAX_VALUES} values and {MAX_CHARACTERS} characters of text"
            return [DefinitionError.at((), "too_large", detail)]
        if len(path) == MAX_DEPTH and size:
            errors.append(DefinitionError.at(path, "too_deep", f"nested more than {MAX_DEPTH} deep"))
            continue
        errors.extend(_value_errors(path, value))
        waiting.extend(_children(path, value))
    return errors


def _children(path: _Path, value: Any) -> Iterator[tuple[_Path, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            if not _key_fault(key):
                yield (*path, key), child
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield (*path, index), child


def _value_errors(path: _Path, value: Any) -> Iterator[DefinitionError]:
    if isinstance(value, dict):
        for fault in sorted({fault for key in value if (fault := _key_fault(key))}):
            yield DefinitionError.at(path, "invalid_key", fault)
    elif isinstance(value, str):
        if not _is_storable(value):
            yield DefinitionError.at(path, "invalid_text", "text with NUL or with half a surrogate pair")
    elif isinstance(value, int | float):
        # PostgreSQL gives a float such as 1e30 back as an integer, so the bound is the same for both.
        # Written so that it holds for what is not a number, too.
        if not abs(value) <= MAX_INTEGER:
            yield DefinitionError.at(path, "invalid_number", "a number that is not finite or over 64 bits")
    elif value is not None and not isinstance(value, list):
        yield DefinitionError.at(path, "wrong_type", f"{type(value).__name__} is not a JSON type")


def _key_fault(key: Any) -> str | None:
    if not isinstance(key, str) or not _is_storable(key):
        return "a key is not text, or holds NUL or half a surrogate pair"
    if len(key) > MAX_KEY_LENGTH:
        return f"a key is longer than {MAX_KEY_LENGTH} characters"
    return None


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
