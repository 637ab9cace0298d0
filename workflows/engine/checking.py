"""Every fault of a definition, before it is kept.

Codes: `too_large`, `too_deep`, `invalid_text`, `invalid_number`, `invalid_key` (and then no other);
`required`, `unknown_field`, `wrong_type`, `out_of_range`, `too_few`, `too_many`, `unknown_choice`, `invalid`;
`duplicate_id`, `unknown_step_kind`, `unknown_need`, `self_need`, `duplicate_need`, `cycle`;
`invalid_expression`, `invalid_reference`, `unknown_step`, `step_not_needed`, `unknown_output`;
`invalid_cron`, `unknown_timezone`, `unknown_event_type`, `duplicate_event_type`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from workflows.engine.definition import DEFINITION_SCHEMA, EVENT_TYPES, MAX_CRON_LENGTH, MAX_STEPS
from workflows.engine.errors import DefinitionError
from workflows.engine.expression_parser import Expression
from workflows.engine.expression_tokens import ExpressionError
from workflows.engine.graph import Graph, ancestors, cycles
from workflows.engine.limits import limit_errors
from workflows.engine.references import Scope, reference_faults
from workflows.engine.schedules import InvalidScheduleError, check_cron, is_timezone
from workflows.engine.schemas import schema_errors
from workflows.engine.step_kinds import JsonSchema, Kind, StepKindRegistry
from workflows.engine.templates import has_expression, parse_condition, parse_template

_Path = tuple[str | int, ...]


def check_definition(
    definition: object, registry: StepKindRegistry[Kind], event_types: Collection[str] = EVENT_TYPES
) -> list[DefinitionError]:
    """Return all faults of a definition, first those of its form, then of its triggers and steps.

    An empty list means it can be run. Takes any JSON value and never raises. A value past the bounds of
    `limits` is looked at no further.
    """
    if errors := limit_errors(definition):
        return errors
    errors = schema_errors(DEFINITION_SCHEMA, definition)
    if isinstance(definition, dict):
        errors += _trigger_errors(definition.get("on"), event_types)
        errors += _steps_errors(definition.get("steps"), registry)
    return errors


def _trigger_errors(triggers: Any, event_types: Collection[str]) -> Iterator[DefinitionError]:
    if not isinstance(triggers, dict):
        return
    schedule, event = triggers.get("schedule"), triggers.get("event")
    if isinstance(schedule, dict):
        yield from _schedule_errors(schedule)
    if isinstance(event, dict) and isinstance(event.get("types"), list):
        yield from _event_errors(event["types"], event_types)


def _schedule_errors(schedule: dict[str, Any]) -> Iterator[DefinitionError]:
    cron, timezone = schedule.get("cron"), schedule.get("timezone")
    if isinstance(cron, str) and len(cron) <= MAX_CRON_LENGTH:
        try:
            check_cron(cron)
        except InvalidScheduleError as error:
            yield DefinitionError.at(("on", "schedule", "cron"), "invalid_cron", str(error))
    if isinstance(timezone, str) and not is_timezone(timezone):
        detail = f"{timezone!r} is no timezone of the IANA database, such as 'Europe/Berlin'"
        yield DefinitionError.at(("on", "schedule", "timezone"), "unknown_timezone", detail)


def _event_errors(types: list[Any], known: Collection[str]) -> Iterator[DefinitionError]:
    seen: set[str] = set()
    for index, event_type in enumerate(types):
        path = ("on", "event", "types", index)
        if not isinstance(event_type, str):
            continue
        if event_type not in known:
            detail = f"there is no event {event_type!r}; known: {', '.join(sorted(known))}"
            yield DefinitionError.at(path, "unknown_event_type", detail)
        elif event_type in seen:
            yield DefinitionError.at(path, "duplicate_event_type", f"{event_type!r} is listed already")
        seen.add(event_type)


def _steps_errors(steps: Any, registry: StepKindRegistry[Kind]) -> list[DefinitionError]:
    # The schema says so when there are too many; to go through thousands would only cost time.
    if not isinstance(steps, list) or len(steps) > MAX_STEPS:
        return []
    entries = {index: step for index, step in enumerate(steps) if isinstance(step, dict)}
    places = _places(entries)
    graph = {step_id: _known_needs(entries[index], places) for step_id, index in places.items()}
    outputs = {step_id: _output_schema(entries[index], registry) for step_id, index in places.items()}
    errors: list[DefinitionError] = []
    for index, step in entries.items():
        step_id = str(step.get("id"))
        scope = Scope(step_id, outputs, frozenset(ancestors({**graph, "": _known_needs(step, places)}, "")))
        errors += _id_errors(index, step, places)
        errors += _kind_errors(index, step, registry)
        errors += _needs_errors(index, step, places)
        errors += _expression_errors(index, step, scope)
    errors += _cycle_errors(graph, places, entries)
    return errors


def _places(entries: Mapping[int, dict[str, Any]]) -> dict[str, int]:
    """Map each id to the index of the first step that has it."""
    places: dict[str, int] = {}
    for index, step in entries.items():
        if isinstance(step.get("id"), str):
            places.setdefault(step["id"], index)
    return places


def _known_needs(step: dict[str, Any], places: Mapping[str, int]) -> list[str]:
    """Return the needs that name another step; the others are reported where they stand."""
    needs = step.get("needs")
    if not isinstance(needs, list):
        return []
    return [need for need in needs if isinstance(need, str) and need in places and need != step.get("id")]


def _output_schema(step: dict[str, Any], registry: StepKindRegistry[Kind]) -> JsonSchema | None:
    uses = step.get("uses")
    kind = registry.get(uses) if isinstance(uses, str) else None
    return kind.output_schema if kind else None


def _id_errors(index: int, step: dict[str, Any], places: Mapping[str, int]) -> Iterator[DefinitionError]:
    step_id = step.get("id")
    if isinstance(step_id, str) and places[step_id] != index:
        detail = f"step {places[step_id]} has the id {step_id!r} already"
        yield DefinitionError.at(("steps", index, "id"), "duplicate_id", detail)


def _kind_errors(
    index: int, step: dict[str, Any], registry: StepKindRegistry[Kind]
) -> Iterator[DefinitionError]:
    uses, inputs = step.get("uses"), step.get("with", {})
    if not isinstance(uses, str):
        return
    kind = registry.get(uses)
    if kind is None:
        known = ", ".join(other.uses for other in registry) or "none"
        detail = f"there is no step kind {uses!r}; known: {known}"
        yield DefinitionError.at(("steps", index, "uses"), "unknown_step_kind", detail)
    elif isinstance(inputs, dict):
        yield from schema_errors(kind.input_schema, inputs, ("steps", index, "with"), expressions=True)


def _needs_errors(index: int, step: dict[str, Any], places: Mapping[str, int]) -> Iterator[DefinitionError]:
    needs = step.get("needs")
    seen: set[str] = set()
    for position, need in enumerate(needs if isinstance(needs, list) else []):
        path = ("steps", index, "needs", position)
        if not isinstance(need, str):
            continue
        if need == step.get("id"):
            yield DefinitionError.at(path, "self_need", f"step {need!r} needs itself")
        elif need not in places:
            yield DefinitionError.at(path, "unknown_need", f"there is no step {need!r}")
        elif need in seen:
            yield DefinitionError.at(path, "duplicate_need", f"{need!r} is listed already")
        seen.add(need)


def _cycle_errors(
    graph: Graph, places: Mapping[str, int], entries: Mapping[int, dict[str, Any]]
) -> Iterator[DefinitionError]:
    for cycle in cycles(graph):
        index = places[cycle[0]]
        position = entries[index]["needs"].index(cycle[1])
        way = " needs ".join(repr(step) for step in [*cycle, cycle[0]])
        detail = f"these steps wait for one another: {way}"
        yield DefinitionError.at(("steps", index, "needs", position), "cycle", detail)


def _expression_errors(index: int, step: dict[str, Any], scope: Scope) -> Iterator[DefinitionError]:
    start = ("steps", index)
    if isinstance(step.get("if"), str):
        yield from _faults((*start, "if"), step["if"], lambda text: [parse_condition(text)], scope)
    for path, text in _texts((*start, "with"), step.get("with")):
        if has_expression(text):
            yield from _faults(path, text, lambda text: parse_template(text).expressions, scope)


def _faults(
    path: _Path, text: str, read: Callable[[str], list[Expression]], scope: Scope
) -> Iterator[DefinitionError]:
    try:
        expressions = read(text)
    except ExpressionError as error:
        yield DefinitionError.at(path, "invalid_expression", str(error))
        return
    for expression in expressions:
        for code, detail in reference_faults(expression, scope):
            yield DefinitionError.at(path, code, detail)


def _texts(path: _Path, value: Any) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts((*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts((*path, index), item)
