"""Products, categories and taxonomies as the API shows and takes them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from nexus.api.serializers import ModelSerializer, Serializer
from products.models import Category, Product, Taxonomy
from products.validators import validate_attributes, validate_gtin

BIGGEST_ID = 2**63 - 1


class CategorySummarySerializer(serializers.Serializer[Category]):
    """A category as other resources show it."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField(help_text='Names from the root, joined by " > ".')
    taxonomy = serializers.CharField(source="taxonomy.code", help_text="The code of the taxonomy.")


class CategoryByIdMixin:
    """Takes a category by `category_id`, or as it was shown by a client that sends a resource back."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values."""
        if isinstance(data, Mapping) and "category" in data and "category_id" not in data:
            data = {**data, "category_id": _id_of(data["category"])}
        return super().to_internal_value(data)  # type: ignore[misc]


class ProductSerializer(CategoryByIdMixin, Serializer):
    """A product. Absent fields take their defaults on POST and PUT, and stay as they are on PATCH."""

    id = serializers.IntegerField(read_only=True)
    sku = serializers.CharField(max_length=64, help_text="Unique among all products.")
    name = serializers.CharField(max_length=500)
    description = serializers.CharField(max_length=20_000, allow_blank=True, default="")
    manufacturer = serializers.CharField(max_length=200, allow_blank=True, default="")
    part_number = serializers.CharField(max_length=100, allow_blank=True, default="")
    gtin = serializers.CharField(
        max_length=14,
        allow_blank=True,
        default="",
        validators=[validate_gtin],
        help_text="GTIN-8, 12, 13 or 14, with its check digit.",
    )
    attributes = serializers.JSONField(
        default=dict,
        validators=[validate_attributes],
        help_text="A flat object of strings, numbers and booleans.",
    )
    status = serializers.ChoiceField(choices=Product.Status.choices, default=Product.Status.DRAFT)
    category = CategorySummarySerializer(
        read_only=True,
        allow_null=True,
        help_text="Change it by `category_id`. Where that is absent and this is present, its `id` counts.",
    )
    category_id = serializers.IntegerField(
        write_only=True, allow_null=True, default=None, min_value=1, max_value=BIGGEST_ID
    )
    category_source = serializers.ChoiceField(
        choices=Product.CategorySource.choices,
        read_only=True,
        allow_null=True,
        help_text="Who chose the category. What is not `automatic` is never overwritten by a classifier.",
    )
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


def _id_of(category: object) -> object:
    if category is None or (isinstance(category, Mapping) and "id" in category):
        return category["id"] if category else None
    detail = serializers.ErrorDetail("Give the category as `category_id`.", "read_only")
    raise serializers.ValidationError({"category": detail})


class TaxonomySerializer(ModelSerializer):
    """One version of a taxonomy."""

    id = serializers.IntegerField(read_only=True)
    code = serializers.SlugField(max_length=60)
    revision = serializers.IntegerField(
        read_only=True, help_text="Counts the changes of its tree, names and keywords."
    )

    class Meta:
        model = Taxonomy
        fields = [
            "id",
            "code",
            "version",
            "name",
            "description",
            "language",
            "is_current",
            "revision",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]
        # The database says whether a version is taken, and says it whatever the race.
        validators: list[Any] = []


class TaxonomyReference(serializers.CharField):
    """A taxonomy by its code; in requests also as ``code@version``. It is never exchanged for another."""

    column = "code"

    def to_representation(self, value: Taxonomy) -> str:  # type: ignore[override]
        """The code."""
        return value.code

    def to_internal_value(self, data: Any) -> Taxonomy:  # type: ignore[override]
        """The taxonomy. Raises ValidationError when there is none, or when the resource belongs to another."""
        reference = super().to_internal_value(data)
        owner = self.parent.instance.taxonomy if self.parent.instance else None
        if owner and reference in {owner.code, f"{owner.code}@{owner.version}"}:
            return owner
        if owner:
            raise serializers.ValidationError("What is in a taxonomy stays in it.", "fixed")
        try:
            return Taxonomy.objects.named(reference)
        except Taxonomy.DoesNotExist:
            raise serializers.ValidationError(
                f"There is no taxonomy {reference!r}.", "does_not_exist"
            ) from None


class CategorySerializer(Serializer):
    """A category of a taxonomy."""

    id = serializers.IntegerField(read_only=True)
    taxonomy = TaxonomyReference(help_text="The code of its taxonomy; on POST also `code@version`.")
    parent = serializers.IntegerField(  # type: ignore[assignment]
        source="parent_id", allow_null=True, default=None, min_value=1, max_value=BIGGEST_ID
    )
    code = serializers.CharField(max_length=100, help_text="Unique in its taxonomy.")
    name = serializers.CharField(max_length=200)
    path = serializers.CharField(read_only=True, help_text='Names from the root, joined by " > ".')
    level = serializers.IntegerField(read_only=True, help_text="1 at the root.")
    is_leaf = serializers.BooleanField(read_only=True)
    keywords = serializers.ListField(
        child=serializers.CharField(max_length=100),
        default=list,
        max_length=500,
        help_text="Synonyms and trade abbreviations as product titles have them.",
    )
    description = serializers.CharField(max_length=20_000, allow_blank=True, default="")


class BulkUpdateSerializer(ProductSerializer):
    """Some fields of a product that exists."""

    id = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)

    def get_fields(self) -> dict[str, Any]:
        """The fields of a product, of which only the id has to be there and none has a default."""
        fields = super().get_fields()
        for name, field in fields.items():
            field.required, field.default = name == "id", empty
        return fields


MAX_BULK = 1000


class BulkSerializer(Serializer):
    """Up to 1,000 products each to create, to update and to delete, in one transaction."""

    create = ProductSerializer(many=True, default=list, max_length=MAX_BULK)  # type: ignore[assignment, call-arg]
    update = BulkUpdateSerializer(many=True, default=list, max_length=MAX_BULK)  # type: ignore[assignment, call-arg]
    delete = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID), default=list, max_length=MAX_BULK
    )


class BulkResultSerializer(serializers.Serializer[Any]):
    """What a bulk request did."""

    created = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids, in the order of `create`."
    )
    updated = serializers.IntegerField(help_text="How many of `update` were not as they are now before.")
    deleted = serializers.IntegerField()


class ActorSerializer(serializers.Serializer[Any]):
    """The user who changed something."""

    id = serializers.IntegerField()
    email = serializers.EmailField(allow_null=True)


class ChangeSerializer(serializers.Serializer[Any]):
    """A field before and after a change."""

    before = serializers.JSONField(help_text="Null where there was none.")
    after = serializers.JSONField(help_text="Null where there is none.")


class HistoryEntrySerializer(serializers.Serializer[Any]):
    """One change of a resource."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.ChoiceField(choices=["created", "updated", "deleted"])
    user = ActorSerializer(allow_null=True, help_text="Null for changes by commands and the system.")
    request_id = serializers.CharField(allow_null=True)
    source = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="Where the change came from, such as `api` or `admin`."
    )
    changes = serializers.DictField(child=ChangeSerializer(), help_text="By name of field.")
