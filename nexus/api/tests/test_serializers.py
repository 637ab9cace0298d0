"""Serializers: their fields are built once a class, and each serializer has its own."""

from typing import Any

import pytest
from rest_framework import serializers

from accounts.serializers import MeSerializer
from nexus.api.errors import flatten
from nexus.api.serializers import Serializer, validated_values
from nexus.api.views import EmptySerializer


class Shelf(Serializer):
    code = serializers.CharField(max_length=3)
    sizes = serializers.ListField(child=serializers.IntegerField(), default=list)


def item_of(shelf: Shelf) -> Any:
    sizes: Any = shelf.fields["sizes"]
    return sizes.child


def test_changing_a_field_of_one_serializer_changes_no_other() -> None:
    changed, other = Shelf(data={}), Shelf(data={})
    changed.fields["code"].required = False
    assert changed.is_valid()
    assert not other.is_valid()
    assert list(other.errors) == ["code"]


def test_each_field_belongs_to_its_own_serializer() -> None:
    first, second = Shelf(context={"room": 1}), Shelf(context={"room": 2})
    assert item_of(first).context == {"room": 1}
    assert item_of(second).context == {"room": 2}


def test_a_list_keeps_what_each_of_its_rows_gave() -> None:
    shelves = Shelf(data=[{"code": "a", "sizes": [1]}, {"code": "b"}], many=True)
    assert shelves.is_valid()
    assert shelves.validated_data == [{"code": "a", "sizes": [1]}, {"code": "b", "sizes": []}]


def test_the_fields_of_a_model_serializer_have_their_names_and_labels() -> None:
    for serializer in (MeSerializer(), MeSerializer()):
        assert list(serializer.fields) == list(MeSerializer.Meta.fields)
        assert serializer.fields["email"].parent is serializer
        assert serializer.fields["email"].label == "E-mail address"


def test_what_is_in_a_list_has_the_type_that_the_schema_promises() -> None:
    shelf = Shelf(data={"code": "a", "sizes": [1, "2", True, None]})
    assert not shelf.is_valid()
    places = {error["pointer"] for error in flatten(shelf.errors)}
    assert places == {"/sizes/1", "/sizes/2"}


def test_an_unknown_field_is_told_which_are_known() -> None:
    some, none = Shelf(data={"code": "a", "x": 1}), EmptySerializer(data={"x": 1})
    assert not some.is_valid()
    assert not none.is_valid()
    assert some.errors["x"] == "Unknown field. Known are: code, sizes."
    assert none.errors["x"] == "Unknown field. Known are: none."


def test_validated_values_are_those_of_a_serializer() -> None:
    data = {"code": "a"}
    first, second = validated_values(Shelf, data), validated_values(Shelf, data)
    assert first == second == {"code": "a", "sizes": []}
    assert first["sizes"] is not second["sizes"]
    with pytest.raises(serializers.ValidationError) as refused:
        validated_values(Shelf, {"code": 1, "size": 2})
    assert {error["pointer"] for error in flatten(refused.value.detail)} == {"/code", "/size"}


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(serializers.ValidationError) as refused:
        validated_values(Shelf, {"code": "\ud800"})
    assert refused.value.get_codes() == {"code": ["surrogate_characters_not_allowed"]}
    assert validated_values(Shelf, {"code": "\U0001f528"})["code"] == "\U0001f528"
