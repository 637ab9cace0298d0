"""What the classification API takes and gives."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from classification.models import Classification, Review
from classification.services.classify import DEFAULT_TOP_K
from nexus.api.serializers import ModelSerializer, Serializer
from nexus.jobs.models import Job
from products.validators import validate_attributes

MAX_TOP_K = 20
MAX_ITEMS = 10_000
MAX_ID = 2**63 - 1


class ProductIdField(serializers.IntegerField):
    """The id of a product."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)


class ItemSerializer(Serializer):
    """One thing to classify: a product of the catalogue, or the text of one that is not."""

    product_id = ProductIdField(required=False)
    name = serializers.CharField(required=False, max_length=500)
    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    manufacturer = serializers.CharField(required=False, allow_blank=True, max_length=200)
    part_number = serializers.CharField(required=False, allow_blank=True, max_length=100)
    attributes = serializers.DictField(required=False, help_text="Flat: strings, numbers and booleans.")

    def validate_attributes(self, value: dict[str, Any]) -> dict[str, Any]:
        """Flat attributes of at most the size that products have."""
        try:
            validate_attributes(value)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message, error.code) from None
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either a product or a text, not both and not neither."""
        text = [
            name
            for name in ("name", "description", "manufacturer", "part_number", "attributes")
            if name in attrs
        ]
        if "product_id" in attrs and text:
            raise serializers.ValidationError(
                {text[0]: "Give either product_id or the text of a product."}, "either_or"
            )
        if "product_id" not in attrs and "name" not in attrs:
            raise serializers.ValidationError({"name": "Give a name, or product_id."}, "required")
        return attrs


class OptionsSerializer(Serializer):
    """How to classify."""

    taxonomy = serializers.CharField(
        required=False,
        max_length=101,
        help_text="A code (its current version) or `code@version`; the oldest current taxonomy when not given.",
    )
    top_k = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_TOP_K,
        default=DEFAULT_TOP_K,
        help_text="How many candidates.",
    )
    apply = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Write accepted categories to products, unless a person chose the present one.",
    )

    OPTIONS = ("taxonomy", "top_k", "apply")

    def options(self) -> dict[str, Any]:
        """The validated options."""
        return {name: self.validated_data[name] for name in self.OPTIONS if name in self.validated_data}


class ClassifySerializer(OptionsSerializer, ItemSerializer):
    """One item and how to classify it."""

    @classmethod
    def parts_of(cls, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The item and the options of validated data."""
        options = {name: given[name] for name in cls.OPTIONS if name in given}
        return {name: value for name, value in given.items() if name not in options}, options


class BatchSerializer(OptionsSerializer):
    """Many items, by text, by id or by filter, and how to classify them."""

    SOURCES = ("items", "product_ids", "filter")

    items = serializers.ListField(
        child=ItemSerializer(), required=False, allow_empty=False, max_length=MAX_ITEMS
    )
    product_ids = serializers.ListField(
        child=ProductIdField(), required=False, allow_empty=False, max_length=MAX_ITEMS
    )
    filter = serializers.DictField(
        required=False, help_text='Filters of the list of products, such as `{"category__isnull": true}`.'
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one source of items."""
        given = [name for name in self.SOURCES if name in attrs]
        if len(given) != 1:
            raise serializers.ValidationError(
                dict.fromkeys(given or ["items"], "Give exactly one of items, product_ids and filter."),
                "exactly_one",
            )
        return attrs


class UploadSerializer(OptionsSerializer):
    """A file of items and how to classify them."""

    file = serializers.FileField(
        help_text="CSV with a header, or JSON lines (.jsonl): name, description, manufacturer, part_number, "
        "attributes (JSON), or product_id."
    )


class BecauseSerializer(Serializer):
    """What has changed: exactly one of these."""

    rule = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    classifier = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_ID, help_text="The one that is active now."
    )
    taxonomy = serializers.CharField(
        required=False, max_length=101, help_text="A code (its current version) or `code@version`."
    )


class ReclassifySerializer(Serializer):
    """Which change asks for new answers."""

    because = BecauseSerializer()
    apply = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Write accepted categories to products, unless a person chose the present one.",
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only say how many products the change touches."
    )


class TouchedSerializer(serializers.Serializer[Any]):
    """How many products a change touches."""

    products = serializers.IntegerField()
    is_exact = serializers.BooleanField(
        help_text="False where a rule was tried on the first 20,000 products only: there are at least so many."
    )


class CategoryBriefSerializer(serializers.Serializer[Any]):
    """A category as it stands beside a product."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField()
    taxonomy = serializers.CharField()


class CandidateSerializer(serializers.Serializer[Any]):
    """A category that may be right."""

    category = CategoryBriefSerializer()
    confidence = serializers.FloatField()


class TermSerializer(serializers.Serializer[Any]):
    """A term of the text (or what people decided or ruled), and how much it spoke for the answer."""

    term = serializers.CharField()
    weight = serializers.FloatField()


class BackOffSerializer(serializers.Serializer[Any]):
    """A category above the leaves that is certain although the leaf is not."""

    category = CategoryBriefSerializer()
    level = serializers.IntegerField(help_text="Of this category, 1 at the root.")
    confidence = serializers.FloatField()
    candidates = CandidateSerializer(many=True, help_text="The leaves below it that are open.")


class SimilarSerializer(serializers.Serializer[Any]):
    """A product whose category was decided, and which resembles the text."""

    product_id = serializers.IntegerField()
    sku = serializers.CharField()
    name = serializers.CharField()
    category = CategoryBriefSerializer(help_text="As it was decided when the answer was given.")
    similarity = serializers.FloatField(help_text="From 0 to 1.")


class ResultSerializer(serializers.Serializer[Any]):
    """What was answered about one item."""

    position = serializers.IntegerField()
    product_id = serializers.IntegerField(allow_null=True)
    input = serializers.DictField()
    category = CategoryBriefSerializer(allow_null=True)
    level = serializers.IntegerField(allow_null=True, help_text="Of the category, 1 at the root.")
    confidence = serializers.FloatField(
        help_text="Calibrated: of the answers with 0.9, nine in ten are right."
    )
    candidates = CandidateSerializer(many=True)
    back_off = BackOffSerializer(
        allow_null=True, help_text="Null where the category itself is certain, or nothing above it is."
    )
    decision = serializers.ChoiceField(choices=Classification.Decision.choices)
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=Classification.Source.choices, help_text="What gave the answer."
    )
    rule_id = serializers.IntegerField(
        allow_null=True, help_text="The rule, with the source `rule`; null where rules contradict each other."
    )
    explanation = TermSerializer(many=True)
    contrast = TermSerializer(
        many=True, help_text="What spoke for the answer and against the second candidate."
    )
    similar = SimilarSerializer(many=True, help_text="The most similar first.")
    error = serializers.CharField(allow_null=True)


class ReviewSerializer(ModelSerializer):
    """What a person decided."""

    class Meta:
        model = Review
        fields = ["decision", "category_id", "note", "decided_by", "decided_at"]
        read_only_fields = fields


class ResultWithOriginSerializer(ResultSerializer):
    """A result outside of its job."""

    id = serializers.IntegerField()
    job_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    is_audit = serializers.BooleanField(
        help_text="Accepted automatically, and drawn by lot for a person to look at."
    )
    review = ReviewSerializer(allow_null=True)


class DecideSerializer(Serializer):
    """A person's decision about an answer."""

    decision = serializers.ChoiceField(choices=Review.Decision.choices)
    category_id = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_ID,
        help_text="The right one, with `correct`.",
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class ClassifierBriefSerializer(serializers.Serializer[Any]):
    """Which classifier answered."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()


class ClassificationJobSerializer(ModelSerializer):
    """A classification job without its results."""

    job_id = serializers.UUIDField(source="id")
    taxonomy = serializers.SerializerMethodField()
    classifier = serializers.SerializerMethodField()
    eta_s = serializers.FloatField(allow_null=True, help_text="Seconds until the end at the pace so far.")

    class Meta:
        model = Job
        fields = [
            "job_id",
            "kind",
            "status",
            "taxonomy",
            "classifier",
            "total",
            "processed",
            "succeeded",
            "failed",
            "created_at",
            "started_at",
            "finished_at",
            "eta_s",
        ]
        read_only_fields = fields

    def get_taxonomy(self, job: Job) -> str:
        """The code of the taxonomy."""
        code: str = job.parameters["taxonomy"].partition("@")[0]
        return code

    @extend_schema_field(ClassifierBriefSerializer)
    def get_classifier(self, job: Job) -> dict[str, int]:
        """The classifier that was active when the job was accepted, and answers all of it."""
        classifier: dict[str, int] = job.parameters["classifier"]
        return classifier


class ResultPageSerializer(serializers.Serializer[Any]):
    """A page of results."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ResultSerializer(many=True)


class ClassificationJobDetailSerializer(ClassificationJobSerializer):
    """A classification job with a page of its results."""

    results = ResultPageSerializer()

    class Meta(ClassificationJobSerializer.Meta):
        fields = [*ClassificationJobSerializer.Meta.fields, "results"]
        read_only_fields = fields
