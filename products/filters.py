"""Filters of products, categories and taxonomies; of products also outside the API (batches, workflows)."""

from typing import Any

import django_filters
from django import forms
from drf_spectacular.utils import extend_schema_field

from nexus.api.filters import BooleanFilter, FilterSet
from products import search
from products.models import Category, CategoryMapping, ImportFault, ImportProfile, Product, Taxonomy
from products.querysets import CategoryQuerySet, ProductQuerySet


class TaxonomyField(forms.CharField):
    """A taxonomy by its code (the current version) or as ``code@version``."""

    def clean(self, value: Any) -> Taxonomy | None:
        """The taxonomy. Raises ValidationError when there is none."""
        reference = super().clean(value)
        if not reference:
            return None
        try:
            return Taxonomy.objects.named(reference)
        except Taxonomy.DoesNotExist:
            raise forms.ValidationError(
                f"There is no taxonomy {reference!r}.", code="does_not_exist"
            ) from None


class TaxonomyFilter(django_filters.CharFilter):
    """A filter by the taxonomy that a row belongs to."""

    field_class = TaxonomyField


@extend_schema_field(int)
class IntegerFilter(django_filters.NumberFilter):
    """A filter by a whole number."""

    field_class = forms.IntegerField


@extend_schema_field(int)
class CategoryFilter(django_filters.ModelChoiceFilter):
    """A filter by the id of a category that exists."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Category.objects.all(), **options)


class ProductFilterSet(FilterSet):
    """The filters of every list of products."""

    search = django_filters.CharFilter(
        method="find",
        max_length=search.MAX_LENGTH,
        label="Words and part numbers, or their beginnings. Forgives typing errors; the best matches come first.",
    )
    status = django_filters.ChoiceFilter(choices=Product.Status.choices)
    manufacturer = django_filters.CharFilter(lookup_expr="iexact", label="The whole name, in any case.")
    category = CategoryFilter(method="in_category", label="With all categories that lie below it.")
    taxonomy = TaxonomyFilter(field_name="category__taxonomy", label="`code`, or `code@version`.")
    category__isnull = BooleanFilter(
        field_name="category", lookup_expr="isnull", label="Without a category, or with one."
    )
    created_after = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", label="At or after."
    )
    updated_after = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label="At or after."
    )
    sku = django_filters.CharFilter()
    gtin = django_filters.CharFilter()

    class Meta:
        model = Product
        fields: list[str] = []

    def find(self, queryset: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        """What a text finds."""
        return search.search(queryset, value)

    def in_category(self, queryset: ProductQuerySet, name: str, value: Category) -> ProductQuerySet:
        """Products of a category and of all that lie below it."""
        return queryset.in_category(value)


class CategoryFilterSet(FilterSet):
    """The filters of the list of categories."""

    taxonomy = TaxonomyFilter(label="`code`, or `code@version`.")
    parent = django_filters.ModelChoiceFilter(
        queryset=Category.objects.all(), label="Directly below this one."
    )
    level = IntegerFilter(label="1 at the root.")
    is_leaf = BooleanFilter()
    search = django_filters.CharFilter(
        method="find", max_length=200, label="Words of the path, the code or a keyword."
    )

    class Meta:
        model = Category
        fields: list[str] = []

    def find(self, queryset: CategoryQuerySet, name: str, value: str) -> CategoryQuerySet:
        """Categories with all the words of a text."""
        return queryset.with_words(value)


class TaxonomyFilterSet(FilterSet):
    """The filters of the list of taxonomies."""

    code = django_filters.CharFilter()
    is_current = BooleanFilter()

    class Meta:
        model = Taxonomy
        fields: list[str] = []


class ImportFaultFilterSet(FilterSet):
    """By what is wrong, and where."""

    code = django_filters.CharFilter()
    column = django_filters.CharFilter()
    row = IntegerFilter()

    class Meta:
        model = ImportFault
        fields: list[str] = []


class ImportProfileFilterSet(FilterSet):
    """By name."""

    name = django_filters.CharFilter()

    class Meta:
        model = ImportProfile
        fields: list[str] = []


class CategoryMappingFilterSet(FilterSet):
    """The filters of the list of steps between taxonomies."""

    source_taxonomy = TaxonomyFilter(label="`code`, or `code@version`.")
    target_taxonomy = TaxonomyFilter(label="`code`, or `code@version`.")
    source = CategoryFilter(label="The id of a category.")
    target = CategoryFilter(label="The id of a category.")
    kind = django_filters.ChoiceFilter(choices=CategoryMapping.Kind.choices)
    basis = django_filters.ChoiceFilter(choices=CategoryMapping.Basis.choices)
    is_decided = BooleanFilter(label="Whether products are carried along it.")

    class Meta:
        model = CategoryMapping
        fields: list[str] = []
