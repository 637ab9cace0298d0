"""Filters of the lists of answers, reviews and classifiers."""

import django_filters

from classification.models import Classification, Classifier, Difference
from nexus.api.filters import BooleanFilter, FilterSet
from nexus.jobs.models import Job


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
