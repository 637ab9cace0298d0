"""Filters of the list of jobs."""

import django_filters

from nexus.api.filters import FilterSet
from nexus.jobs.models import Job


class JobFilterSet(FilterSet):
    """By kind, status and time."""

    kind = django_filters.CharFilter()
    status = django_filters.ChoiceFilter(choices=Job.Status.choices)
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Job
        fields: list[str] = []
