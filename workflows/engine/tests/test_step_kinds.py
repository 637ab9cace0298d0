import pytest
from jsonschema import SchemaError

from workflows.engine import StepKindRegistry
from workflows.engine.tests.kinds import APPROVAL, SELECT, ExampleKind


def test_a_registered_kind_is_found_by_its_name() -> None:
    registry: StepKindRegistry[ExampleKind] = StepKindRegistry()
    registry.register(SELECT)
    assert registry.get("products.select") is SELECT
    assert registry.get("products.drop") is None


def test_all_kinds_are_listed_by_name() -> None:
    registry: StepKindRegistry[ExampleKind] = StepKindRegistry()
    registry.register(SELECT)
    registry.register(APPROVAL)
    assert registry.all() == [APPROVAL, SELECT]


def test_a_name_is_registered_once() -> None:
    registry: StepKindRegistry[ExampleKind] = StepKindRegistry()
    registry.register(SELECT)
    with pytest.raises(ValueError, match=r"products\.select"):
        registry.register(SELECT)


def test_a_kind_with_a_bad_schema_is_refused() -> None:
    registry: StepKindRegistry[ExampleKind] = StepKindRegistry()
    with pytest.raises(SchemaError):
        registry.register(ExampleKind("bad", {"type": "no such type"}, {}))
    assert registry.all() == []
