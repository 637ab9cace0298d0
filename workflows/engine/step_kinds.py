"""What a step can do: kinds of steps, each with the JSON Schema (draft 2020-12) of its inputs and outputs."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from jsonschema import Draft202012Validator

JsonSchema = Mapping[str, Any]


class StepKind(Protocol):
    """What the engine must know of a kind of step; whoever runs the steps may add to it."""

    @property
    def uses(self) -> str:
        """The name a definition calls it by, such as `products.select`."""

    @property
    def description(self) -> str:
        """What it does, in a sentence or two."""

    @property
    def input_schema(self) -> JsonSchema:
        """JSON Schema of the object under `with`."""

    @property
    def output_schema(self) -> JsonSchema:
        """JSON Schema of the object that later steps read as `steps.<id>.output`."""


Kind = TypeVar("Kind", bound=StepKind)


class StepKindRegistry(Generic[Kind]):
    """The kinds of steps that exist, by their `uses` name."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def register(self, kind: Kind) -> Kind:
        """Add a kind and return it.

        Raises ValueError when the name is taken, jsonschema.SchemaError when one of its schemas is not valid.
        """
        if kind.uses in self._kinds:
            raise ValueError(f"step kind {kind.uses!r} is registered already")
        Draft202012Validator.check_schema(kind.input_schema)
        Draft202012Validator.check_schema(kind.output_schema)
        self._kinds[kind.uses] = kind
        return kind

    def get(self, uses: str) -> Kind | None:
        """Return the kind of that name, or None."""
        return self._kinds.get(uses)

    def all(self) -> list[Kind]:
        """Return every kind, by name."""
        return [self._kinds[uses] for uses in sorted(self._kinds)]

    def __iter__(self) -> Iterator[Kind]:
        return iter(self.all())
