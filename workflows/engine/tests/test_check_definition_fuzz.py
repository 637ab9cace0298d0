"""No JSON value makes the check of a definition fail, and what it passes can be scheduled."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.engine import Definition, check_definition, next_steps
from workflows.engine.tests.kinds import contract_example, registry

KINDS = registry()
WORDS = [
    *["id", "uses", "with", "needs", "if", "retry", "timeout_s", "on", "steps", "cron", "types", "filter"],
    *["pick", "classify", "gate", "products.select", "approval", "http.post", "0 2 * * *", "Europe/Berlin"],
    *["${{ steps.pick.output.count }}", "${{", "}}", "${{ input.x }} ${{ 1 }}", "steps.pick.status == 'x'"],
    *["\0", "\ud800", "* * * * *", "not", "((", "product.created"],
]
TEXT = st.sampled_from(WORDS) | st.text(max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a JSON value, with each of its keys or indexes."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        found += [(value, key), *places(child)]
    return found


@given(VALUES)
@settings(deadline=None)
def test_any_json_value_is_checked_without_an_exception(value: Any) -> None:
    check_definition(value, KINDS)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_definition_with_parts_replaced_is_checked_and_runs_if_it_passes(data: st.DataObject) -> None:
    definition = contract_example()
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(definition)))
        container[key] = data.draw(VALUES)
    if not check_definition(definition, KINDS):
        next_steps(Definition.from_json(definition), {}, {"input": {}, "steps": {}})


@given(st.text(alphabet="steps.input[]()01'\"\\ +-*/<>=!&|andorinot{}$,e", max_size=40))
@settings(deadline=None, max_examples=500)
def test_any_text_as_a_condition_is_checked_without_an_exception(condition: str) -> None:
    definition = contract_example()
    definition["steps"][2]["if"] = condition
    definition["steps"][4]["with"]["json"] = f"${{{{ {condition} }}}}"
    check_definition(definition, KINDS)
