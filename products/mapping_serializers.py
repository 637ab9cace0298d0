"""Versions of taxonomies, the steps between them, and what is carried along, as the API shows and takes them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from nexus.api.serializers import Serializer
from products.models import Category, CategoryMapping
from products.serializers import BIGGEST_ID, CategorySummarySerializer, TaxonomyReference

ENDS = ("source", "target")


class CategoryMappingSerializer(Serializer):
    """A step from a category to one of another taxonomy, or of another version of its own."""

    id = serializers.IntegerField(read_only=True)
    source = CategorySummarySerializer(read_only=True)  # type: ignore[assignment]
    source_id = serializers.IntegerField(write_only=True, min_value=1, max_value=BIGGEST_ID)
    target = CategorySummarySerializer(
        read_only=True, allow_null=True, help_text="Null when nothing takes its place."
    )
    target_id = serializers.IntegerField(write_only=True, allow_null=True, min_value=1, max_value=BIGGEST_ID)
    target_taxonomy = serializers.IntegerField(
        source="target_taxonomy_id",
        required=False,
        min_value=1,
        max_value=BIGGEST_ID,
        help_text="The id of the taxonomy of the target; to be given where there is no target.",
    )
    kind = serializers.ChoiceField(
        choices=CategoryMapping.Kind.choices, read_only=True, help_text="How the two differ."
    )
    basis = serializers.ChoiceField(
        choices=CategoryMapping.Basis.choices, read_only=True, help_text="What speaks for the step."
    )
    confidence = serializers.FloatField(
        read_only=True, allow_null=True, help_text="Where the classifier suggested it."
    )
    is_decided = serializers.BooleanField(
        read_only=True, help_text="Products are carried along it; else it is a suggestion."
    )
    decided_by = serializers.IntegerField(source="decided_by_id", read_only=True, allow_null=True)
    decided_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; the ends also as they were shown, by a client that sends a step back."""
        if isinstance(data, Mapping):
            data = {**data}
            for end in ENDS:
                if end in data and f"{end}_id" not in data:
                    shown = data[end]
                    data[f"{end}_id"] = shown.get("id") if isinstance(shown, Mapping) else shown
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The categories instead of their ids. Raises ValidationError for one that does not exist, or is fixed."""
        if self.instance is not None and attrs.get("source_id", self.instance.source_id) != (
            self.instance.source_id
        ):
            raise serializers.ValidationError({"source_id": _error("A step keeps its source.", "fixed")})
        for end in ENDS:
            if f"{end}_id" in attrs:
                attrs[end] = _category(end, attrs.pop(f"{end}_id"))
        return attrs


def _error(detail: str, code: str) -> serializers.ErrorDetail:
    return serializers.ErrorDetail(detail, code)


def _category(end: str, pk: int | None) -> Category | None:
    if pk is None:
        return None
    found = Category.objects.select_related("taxonomy").filter(pk=pk).first()
    if found is None:
        error = _error(f"There is no category {pk}.", "does_not_exist")
        raise serializers.ValidationError({f"{end}_id": error})
    return found


class PairSerializer(Serializer):
    """Two taxonomies, each by its code (the current version) or as ``code@version``."""

    source = TaxonomyReference()  # type: ignore[assignment]
    target = TaxonomyReference()


class ProposedSerializer(serializers.Serializer[Any]):
    """How many steps were added, by what speaks for them."""

    code = serializers.IntegerField()
    path = serializers.IntegerField()
    name = serializers.IntegerField(help_text="Suggestions: a person decides.")


class NodeSerializer(serializers.Serializer[Any]):
    """A category of one version."""

    code = serializers.CharField()
    path = serializers.CharField()


class VersionDifferenceSerializer(serializers.Serializer[Any]):
    """A category before and after."""

    before = NodeSerializer(allow_null=True)
    after = NodeSerializer(allow_null=True)


class ChangeCountsSerializer(serializers.Serializer[Any]):
    """How many categories of each kind."""

    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    moved = serializers.IntegerField(help_text="With another parent.")
    renamed = serializers.IntegerField()
    recoded = serializers.IntegerField(help_text="The same path with another code.")
    unchanged = serializers.IntegerField()


class VersionChangesSerializer(serializers.Serializer[Any]):
    """What one version changed: all numbers, and the first differences of each kind, by path."""

    since = serializers.CharField(help_text="The version that it is compared with, as `code@version`.")
    counts = ChangeCountsSerializer()
    added = VersionDifferenceSerializer(many=True)
    removed = VersionDifferenceSerializer(many=True)
    moved = VersionDifferenceSerializer(many=True)
    renamed = VersionDifferenceSerializer(many=True)
    recoded = VersionDifferenceSerializer(many=True)


class CarryOverSerializer(Serializer):
    """From where products are carried over."""

    source = TaxonomyReference(help_text="A code (its current version) or `code@version`.")  # type: ignore[assignment]


class CarryBackSerializer(Serializer):
    """What is taken back."""

    job = serializers.UUIDField(help_text="The job that carried products over.")


class StepSerializer(serializers.Serializer[Any]):
    """A pair of taxonomies that is mapped."""

    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()


class LeftCategorySerializer(serializers.Serializer[Any]):
    """A category whose products stay where they are."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    path = serializers.CharField()
    products = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=["undecided", "no_target", "removed", "split"])


class CarryOverPreviewSerializer(serializers.Serializer[Any]):
    """What carrying over would do."""

    steps = StepSerializer(many=True, help_text="The chain of mappings from one taxonomy to the other.")
    products = serializers.IntegerField()
    carried = serializers.IntegerField(help_text="Products that would be carried.")
    left = serializers.IntegerField(help_text="Products that would stay where they are.")
    left_categories = serializers.IntegerField()
    categories = LeftCategorySerializer(
        many=True, help_text="Those with the most products first, 1,000 at most."
    )
