"""Filters of the lists of jobs, their chunks, log lines and files."""

import django_filters

from nexus.api.filters import FilterSet
from nexus.jobs.models import Chunk, File, Job, LogLine


class JobFilterSet(FilterSet):
    """By kind, status and time."""

    kind = django_filters.CharFilter()
    status = django_filters.ChoiceFilter(choices=Job.Status.choices)
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Job
        fields: list[str] = []


class ChunkFilterSet(FilterSet):
    """By state; those that were set aside are ``failed``."""

    status = django_filters.ChoiceFilter(choices=Chunk.Status.choices)

    class Meta:
        model = Chunk
        fields: list[str] = []


class LogLineFilterSet(FilterSet):
    """By how bad it is."""

    level = django_filters.ChoiceFilter(choices=LogLine.Level.choices)

    class Meta:
        model = LogLine
        fields: list[str] = []


class FileFilterSet(FilterSet):
    """By what it is to the job."""

    role = django_filters.ChoiceFilter(choices=[("input", "input"), ("result", "result")])

    class Meta:
        model = File
        fields: list[str] = []
