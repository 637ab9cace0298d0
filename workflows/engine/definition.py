"""The form of a workflow's definition, and a checked definition as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

EVENT_TYPES = frozenset(
    {"product.created", "product.updated", "product.classified", "review.decided", "import.finished"}
)
DEFAULT_BACKOFF_S = 10
DEFAULT_TIMEOUT_S = 3_600
MAX_CRON_LENGTH = 200
MAX_STEPS = 100

# The lookahead keeps a final line break out, which Python's `$` alone lets pass.
_STEP_ID = r"^[a-z][a-z0-9_]{0,49}(?!\n)$"

_STEP_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "uses"],
    "properties": {
        "id": {
            "type": "string",
            "pattern": _STEP_ID,
            "description": "a step id is 1 to 50 of a-z, 0-9 and _, and begins with a letter",
        },
        "uses": {"type": "string"},
        "with": {"type": "object"},
        "needs": {"type": "array", "items": {"type": "string"}},
        "if": {"type": "string"},
        "retry": {
            "type": "object",
            "additionalProperties": False,
            "required": ["max_attempts"],
            "properties": {
                "max_attempts": {"type": "integer", "minimum": 1, "maximum": 20},
                "backoff_s": {"type": "number", "minimum": 0, "maximum": 3_600},
            },
        },
        "timeout_s": {"type": "integer", "minimum": 1, "maximum": 86_400},
    },
}

DEFINITION_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["on", "steps"],
    "properties": {
        "on": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                "manual": {"type": "object", "additionalProperties": False},
                "schedule": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["cron"],
                    "properties": {
                        "cron": {"type": "string", "maxLength": MAX_CRON_LENGTH},
                        "timezone": {"type": "string", "default": "UTC"},
                    },
                },
                "event": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["types"],
                    "properties": {"types": {"type": "array", "minItems": 1, "items": {"type": "string"}}},
                },
            },
        },
        "steps": {"type": "array", "minItems": 1, "maxItems": MAX_STEPS, "items": _STEP_SCHEMA},
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step, with the defaults filled in. Times are in seconds; `condition` is the text of its `if`."""

    id: str
    uses: str
    inputs: Mapping[str, Any]
    needs: tuple[str, ...]
    condition: str | None
    max_attempts: int
    backoff_s: float
    timeout_s: int

    @classmethod
    def from_json(cls, step: Mapping[str, Any]) -> Self:
        """Read one entry of `steps`. Without `retry` a step has one attempt."""
        retry = step.get("retry", {"max_attempts": 1})
        return cls(
            id=step["id"],
            uses=step["uses"],
            inputs=step.get("with", {}),
            needs=tuple(step.get("needs", ())),
            condition=step.get("if"),
            max_attempts=int(retry["max_attempts"]),
            backoff_s=float(retry.get("backoff_s", DEFAULT_BACKOFF_S)),
            timeout_s=int(step.get("timeout_s", DEFAULT_TIMEOUT_S)),
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a workflow starts by itself: a cron line of five fields, read in a timezone."""

    cron: str
    timezone: str


@dataclass(frozen=True)
class Definition:
    """A definition that `check_definition` found no fault with."""

    steps: tuple[Step, ...]
    manual: bool
    schedule: Schedule | None
    event_types: frozenset[str]

    @classmethod
    def from_json(cls, definition: Mapping[str, Any]) -> Self:
        """Read a definition that has been checked; of another, any error may come."""
        triggers = definition["on"]
        schedule = triggers.get("schedule")
        return cls(
            steps=tuple(Step.from_json(step) for step in definition["steps"]),
            manual="manual" in triggers,
            schedule=Schedule(schedule["cron"], schedule.get("timezone", "UTC")) if schedule else None,
            event_types=frozenset(triggers.get("event", {}).get("types", ())),
        )

    @cached_property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """The steps each step needs, by id, each after all that it needs."""
        waiting = {step.id: step.needs for step in self.steps}
        ordered: dict[str, tuple[str, ...]] = {}
        while waiting:
            ready = [step for step, needs in waiting.items() if all(need in ordered for need in needs)]
            if not ready:
                raise ValueError(f"steps that need one another: {', '.join(waiting)}")
            ordered |= {step: waiting.pop(step) for step in ready}
        return ordered

    def step(self, step_id: str) -> Step:
        """Return the step of that id. Raises KeyError."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)
