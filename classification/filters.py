"""Filters of the lists of answers, reviews, classifiers and rules."""

import django_filters

from classification.models import Classification, Classifier, Difference, Rule, RuleConflict
from nexus.api.filters import BooleanFilter, FilterSet
from nexus.jobs.models import Job
from products.filters import CategoryFilter, TaxonomyFilter


class ResultFilterSet(FilterSet):
    """Results of one job."""

    decision = django_filters.ChoiceFilter(choices=Classification.Decision.choices)

    class Meta:
        model = Classification
        fields: list[str] = []


class ReviewFilterSet(FilterSet):
    """Open reviews."""

    taxonomy = django_filters.CharFilter(field_name="taxonomy__code")
    category = django_filters.NumberFilter(field_name="category_id")
    audit = BooleanFilter(field_name="is_audit")

    class Meta:
        model = Classification
        fields: list[str] = []


class ClassificationJobFilterSet(FilterSet):
    """Classification jobs."""

    status = django_filters.ChoiceFilter(choices=Job.Status.choices)

    class Meta:
        model = Job
        fields: list[str] = []


class ClassifierFilterSet(FilterSet):
    """Classifiers."""

    taxonomy = django_filters.CharFilter(field_name="taxonomy__code")
    status = django_filters.ChoiceFilter(choices=Classifier.Status.choices)

    class Meta:
        model = Classifier
        fields: list[str] = []


class DifferenceFilterSet(FilterSet):
    """Differences of two classifiers."""

    is_other_category = BooleanFilter()
    before_certain = BooleanFilter()
    after_certain = BooleanFilter()

    class Meta:
        model = Difference
        fields: list[str] = []


class RuleFilterSet(FilterSet):
    """Rules."""

    taxonomy = TaxonomyFilter(label="`code`, or `code@version`.")
    category = CategoryFilter(label="This one alone.")
    enabled = BooleanFilter()
    search = django_filters.CharFilter(
        field_name="name", lookup_expr="icontains", max_length=200, label="A part of the name."
    )

    class Meta:
        model = Rule
        fields: list[str] = []


class RuleConflictFilterSet(FilterSet):
    """Conflicts between rules."""

    taxonomy = TaxonomyFilter(label="`code`, or `code@version`.")

    class Meta:
        model = RuleConflict
        fields: list[str] = []
