"""The short way from a body to its values gives those of the serializer, or asks it."""

from typing import Any

import pytest
from django.core.validators import RegexValidator
from rest_framework import serializers

from classification.serializers.answers import ClassifySerializer
from nexus.api.serializers import BodyReader, Serializer, validated_values
from products.serializers import ProductSerializer

PRODUCT = {
    "sku": "A-1",
    "name": "Drill",
    "description": "for wood\nand steel",
    "manufacturer": "",
    "part_number": "7",
    "gtin": "4006381333931",
    "attributes": {"voltage": 18, "colour": "red"},
    "status": "active",
    "category_id": 5,
}
ITEM = {"name": "Drill", "manufacturer": "Corvane", "top_k": 3, "apply": True, "attributes": {"a": 1}}
TEXTS = [
    "",
    " ",
    "a",
    " a\t",
    "ü",
    "\U0001f528",
    "\x00",
    "a\x00",
    "\ud800",
    "x" * 64,
    "x" * 65,
    "x" * 20_001,
    "active",
]
GTINS = ["4006381333932", "40063813", " 4006381333931"]
OTHERS = [
    None,
    True,
    0,
    1,
    -1,
    2**63,
    1.0,
    1.5,
    "1",
    [],
    ["a"],
    {},
    {"a": None},
    {"a": {"b": 1}},
    {"a": float("inf")},
]


class Shelf(Serializer):
    code = serializers.CharField(max_length=3, validators=[RegexValidator("^[a-z]+$")])
    label = serializers.CharField(  # type: ignore[assignment]
        trim_whitespace=False, allow_null=True, default="none"
    )
    notes = serializers.ListField(child=serializers.CharField(), default=list)
    id = serializers.IntegerField(read_only=True)

    def validate_label(self, value: str | None) -> str | None:
        """Shelves are not shouted at."""
        if value and value.isupper():
            raise serializers.ValidationError("Not so loud.", "loud")
        return value


CASES = [
    (ProductSerializer, PRODUCT),
    (ClassifySerializer, ITEM),
    (Shelf, {"code": "a", "label": "b", "notes": []}),
]


def outcome(validate: Any) -> Any:
    """The values, or the codes of what is wrong with them."""
    try:
        return dict(validate())
    except serializers.ValidationError as error:
        return error.get_codes()


@pytest.mark.parametrize(("serializer_class", "right"), CASES, ids=["product", "item", "shelf"])
def test_every_body_has_the_values_or_the_faults_that_its_serializer_gives(
    serializer_class: Any, right: dict[str, Any]
) -> None:
    bodies: list[Any] = [right, {}, {"unknown": 1, **right}, [], "text", {"id": 1, "category": None, **right}]
    for name in serializer_class().fields:
        bodies.append({key: value for key, value in right.items() if key != name})
        bodies += [{**right, name: value} for value in [*TEXTS, *GTINS, *OTHERS]]
    for body in bodies:
        short = outcome(lambda body=body: validated_values(serializer_class, body))
        assert short == outcome(lambda body=body: serializer_class().run_validation(body)), body


@pytest.mark.parametrize(("serializer_class", "right"), CASES, ids=["product", "item", "shelf"])
def test_what_is_right_goes_the_short_way(serializer_class: Any, right: dict[str, Any]) -> None:
    assert BodyReader(serializer_class()).read(right) == right


def test_defaults_are_made_anew_for_each_body() -> None:
    first, second = (validated_values(Shelf, {"code": "a"}) for _ in range(2))
    assert first == second == {"code": "a", "label": "none", "notes": []}
    assert first["notes"] is not second["notes"]
