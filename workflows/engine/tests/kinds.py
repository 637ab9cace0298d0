"""The kinds of steps the engine's tests use, in the form of the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.engine import Definition, StepKindRegistry


@dataclass(frozen=True)
class ExampleKind:
    uses: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    description: str = "An example."


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


PRODUCT_IDS = {"type": "array", "items": {"type": "integer"}}

SELECT = ExampleKind(
    "products.select",
    _object(("filter",), filter={"type": "object"}, limit={"type": "integer", "minimum": 1}),
    _object(product_ids=PRODUCT_IDS, count={"type": "integer"}),
)
CLASSIFY = ExampleKind(
    "classification.classify",
    _object(
        ("products",),
        taxonomy={"type": "string", "pattern": "^[a-z-]+$"},
        products=PRODUCT_IDS,
        mode={"enum": ["keep", "replace"]},
    ),
    _object(needs_review={"type": "integer"}, by_category={"type": "object"}),
)
UPDATE = ExampleKind(
    "products.update",
    _object(
        ("set",),
        set=_object(status={"enum": ["draft", "active"]}, name={"type": "string"}),
        products=PRODUCT_IDS,
    ),
    _object(count={"type": "integer"}),
)
APPROVAL = ExampleKind(
    "approval", _object(("role",), role={"type": "string"}), _object(note={"type": "string"})
)
POST = ExampleKind("http.post", _object(("url",), url={"type": "string"}, json={}), {"type": "object"})


def registry() -> StepKindRegistry[ExampleKind]:
    kinds: StepKindRegistry[ExampleKind] = StepKindRegistry()
    for kind in (SELECT, CLASSIFY, UPDATE, APPROVAL, POST):
        kinds.register(kind)
    return kinds


def contract_example() -> dict[str, Any]:
    """The definition the API contract shows."""
    return {
        "on": {
            "manual": {},
            "schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"},
            "event": {"types": ["product.created"]},
        },
        "steps": [
            {"id": "pick", "uses": "products.select", "with": {"filter": {"category__isnull": True}}},
            {
                "id": "classify",
                "uses": "classification.classify",
                "needs": ["pick"],
                "with": {"taxonomy": "nexus-hardware", "products": "${{ steps.pick.output.product_ids }}"},
            },
            {
                "id": "gate",
                "uses": "approval",
                "needs": ["classify"],
                "if": "steps.classify.output.needs_review > 0",
                "with": {"role": "reviewer"},
            },
            {
                "id": "publish",
                "uses": "products.update",
                "needs": ["gate"],
                "with": {"set": {"status": "active"}},
                "retry": {"max_attempts": 3, "backoff_s": 10},
                "timeout_s": 600,
            },
            {
                "id": "tell",
                "uses": "http.post",
                "needs": ["publish"],
                "with": {
                    "url": "https://example.com/hook",
                    "json": {"done": "${{ steps.publish.output.count }}"},
                },
            },
        ],
    }


def steps_definition(*steps: dict[str, Any]) -> Definition:
    """A definition of approvals, started by hand; of each step its id is given, its needs and its if."""
    complete = [{"uses": "approval", "with": {"role": "reviewer"}, **step} for step in steps]
    return Definition.from_json({"on": {"manual": {}}, "steps": complete})
