"""What an expression may read: the input, and the steps that are sure to have ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.engine.expression_parser import Expression, Path, paths
from workflows.engine.step_kinds import JsonSchema


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known at one step.

    outputs: every step of the definition with its output schema, None where its kind is unknown.
    ended: the steps that have ended when this one begins.
    """

    step: str
    outputs: Mapping[str, JsonSchema | None]
    ended: frozenset[str]


def reference_faults(expression: Expression, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield a code and a detail for each path in an expression that cannot be read at a step."""
    for path in paths(expression):
        if path.parts[0] == "steps" and (fault := _step_fault(path, scope)):
            code, detail = fault
            yield code, f"{detail} (at character {path.position + 1})"


def _step_fault(path: Path, scope: Scope) -> tuple[str, str] | None:
    written = _written(path)
    match path.parts[1:]:
        case (str(step), *_) if step not in scope.outputs:
            return "unknown_step", f"{written}: there is no step {step!r}"
        case (str(step), *_) if step not in scope.ended:
            detail = f"{written}: step {scope.step!r} does not need {step!r}, which may not have ended"
            return "step_not_needed", detail
        case (str(), "status"):
            return None
        case (str(step), "output", *fields):
            schema = scope.outputs[step]
            if schema is not None and not _has_field(schema, fields):
                known = ", ".join(schema.get("properties", {})) or "none"
                return "unknown_output", f"{written}: step {step!r} has no such output; its fields: {known}"
            return None
    return "invalid_reference", f"{written}: write steps.<id>.output.<field> or steps.<id>.status"


def _has_field(schema: Any, fields: list[str | int]) -> bool:
    """Whether a value of the schema may have the field; where the schema leaves it open, it may."""
    for field in fields:
        if not isinstance(schema, Mapping):
            return schema is not False
        if not _may_hold(schema, "array" if isinstance(field, int) else "object"):
            return False
        schema = _item_schema(schema) if isinstance(field, int) else _field_schema(schema, field)
    return schema is not False


def _may_hold(schema: JsonSchema, container: str) -> bool:
    types = schema.get("type", container)
    return container in ([types] if isinstance(types, str) else types)


def _item_schema(schema: JsonSchema) -> Any:
    return schema.get("items", True)


def _field_schema(schema: JsonSchema, field: str) -> Any:
    # An output schema that lists its fields means those, though JSON Schema itself would allow others.
    properties = schema.get("properties", {})
    return properties.get(field, schema.get("additionalProperties", not properties))


def _written(path: Path) -> str:
    first, *rest = path.parts
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
