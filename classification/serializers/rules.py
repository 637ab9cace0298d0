"""What the API of rules takes and gives."""

from typing import Any

from rest_framework import serializers

from classification.engine import rules as matcher
from nexus.api.serializers import Serializer
from products.serializers import (
    BIGGEST_ID,
    CategoryByIdMixin,
    CategorySummarySerializer,
    TaxonomyReference,
)

MAX_POSITION = 32_767


class ConditionSerializer(Serializer):
    """What must hold of one field."""

    field = serializers.CharField(
        max_length=matcher.MAX_VALUE_LENGTH,
        help_text="`name`, `description`, `manufacturer`, `part_number`, `text` (all of them), or `attributes.<key>`.",
    )
    operator = serializers.ChoiceField(
        choices=matcher.OPERATORS,
        help_text="`is`, `one_of` and `starts_with` look at the whole field, `contains` for words in a row, in which "
        "`*` stands for any letters of a word; `>=` and `<=` compare attributes that are numbers.",
    )
    value = serializers.JSONField(
        help_text="A text; with `one_of` a list of up to 100; of attributes also numbers, true and false."
    )


class RuleSerializer(CategoryByIdMixin, Serializer):
    """A rule: products of which all conditions hold belong to the category."""

    id = serializers.IntegerField(read_only=True)
    taxonomy = TaxonomyReference(help_text="The code of its taxonomy; on POST also `code@version`.")
    name = serializers.CharField(
        max_length=200, help_text="Unique in its taxonomy; answers name it as the reason."
    )
    conditions = ConditionSerializer(  # type: ignore[call-arg]
        many=True, min_length=1, max_length=matcher.MAX_CONDITIONS
    )
    category = CategorySummarySerializer(
        read_only=True, allow_null=True, help_text="Null when it was deleted. Change it by `category_id`."
    )
    category_id = serializers.IntegerField(
        write_only=True, allow_null=True, default=None, min_value=1, max_value=BIGGEST_ID
    )
    position = serializers.IntegerField(
        default=1,
        min_value=0,
        max_value=MAX_POSITION,
        help_text="Of the rules that hold of a product, those with the smallest number decide.",
    )
    enabled = serializers.BooleanField(default=True)
    disabled_reason = serializers.CharField(
        read_only=True, help_text="Why it was disabled, when that was not done by a person."
    )
    hits = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Products of the catalogue; null until they are counted."
    )
    hits_counted_at = serializers.DateTimeField(read_only=True, allow_null=True)
    accepted = serializers.IntegerField(read_only=True, help_text="Answers that reviewers found right.")
    corrected = serializers.IntegerField(read_only=True, help_text="Answers that reviewers found wrong.")
    created_by = serializers.IntegerField(source="created_by_id", read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def validate_conditions(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Conditions as they are stored."""
        return [dict(condition) for condition in value]


class CheckRulesSerializer(Serializer):
    """Of which taxonomy the rules are checked."""

    taxonomy = serializers.CharField(
        required=False,
        max_length=101,
        help_text="A code (its current version) or `code@version`; the oldest current taxonomy when not given.",
    )


class PreviewSerializer(Serializer):
    """Conditions that are not saved yet."""

    conditions = ConditionSerializer(  # type: ignore[call-arg]
        many=True, min_length=1, max_length=matcher.MAX_CONDITIONS
    )


class HitSerializer(serializers.Serializer[Any]):
    """A product on which the conditions hold."""

    id = serializers.IntegerField()
    sku = serializers.CharField()
    name = serializers.CharField()
    category = CategorySummarySerializer(allow_null=True, help_text="The one that it has now.")


class SampleSerializer(serializers.Serializer[Any]):
    """On which of the newest products conditions hold."""

    looked_at = serializers.IntegerField(help_text="How many products were tried, the newest first.")
    hits = serializers.IntegerField(help_text="On how many of these the conditions hold.")
    products = HitSerializer(many=True, help_text="The first 50 of these.")


class ConflictingRuleSerializer(serializers.Serializer[Any]):
    """One of two rules that contradict each other."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    position = serializers.IntegerField()
    category = CategorySummarySerializer(allow_null=True)


class ExampleSerializer(serializers.Serializer[Any]):
    """A product on which both rules hold."""

    id = serializers.IntegerField()
    sku = serializers.CharField()
    name = serializers.CharField()


class RuleConflictSerializer(serializers.Serializer[Any]):
    """Two rules that hold of the same products and name different categories."""

    id = serializers.IntegerField()
    taxonomy = serializers.CharField(source="taxonomy.code")
    first = ConflictingRuleSerializer()
    second = ConflictingRuleSerializer()
    products = serializers.IntegerField(help_text="On how many products both hold.")
    examples = ExampleSerializer(many=True, help_text="A few of them; those that are deleted are left out.")
    counted_at = serializers.DateTimeField()
