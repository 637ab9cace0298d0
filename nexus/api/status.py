"""``GET /status``: what an operator wants to know of a running Nexus."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from nexus.api.permissions import ANY_ROLE
from nexus.api.renderers import to_json
from nexus.api.views import APIView
from nexus.ops.status import build_status


class WorkersSerializer(serializers.Serializer[Any]):
    """Celery workers that have been heard of within the last seconds."""

    alive = serializers.IntegerField()
    busy = serializers.IntegerField()


class RequestsSerializer(serializers.Serializer[Any]):
    """HTTP requests of the last five minutes, on all server processes."""

    rate_per_s = serializers.FloatField()
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)


class StatusSerializer(serializers.Serializer[Any]):
    """What runs, how busy it is, and what waits. A part that cannot be told at the moment is null."""

    version = serializers.CharField()
    commit = serializers.CharField(allow_null=True)
    uptime_s = serializers.FloatField()
    python = serializers.CharField()
    django = serializers.CharField()
    counts = serializers.DictField(help_text="Products and jobs by status, reviews that wait.")
    workers = WorkersSerializer(allow_null=True)
    queues = serializers.DictField(allow_null=True, help_text="Messages that wait, by queue.")
    requests = RequestsSerializer(allow_null=True)
    classifiers = serializers.DictField(
        allow_null=True,
        help_text="The active classifier of each taxonomy; `answers_here` is the version that answers in the process "
        "that was asked, another one where that process cannot read it.",
    )
    watching = serializers.DictField(
        allow_null=True,
        help_text="By taxonomy: `live_error_rate` of the active classifier on audits, and `abstention_rate` and "
        "`correction_rate` of the last 7 days, each `{count, of, share, interval}`.",
    )
    alarms = serializers.ListField(
        child=serializers.DictField(),
        allow_null=True,
        help_text="What got worse: `{taxonomy, kind, text, raised_at}` and the shares that say so.",
    )


class StatusView(APIView):
    """How Nexus is doing."""

    permissions = {"get": ANY_ROLE}

    @extend_schema(summary="Status", tags=["Operations"], responses=StatusSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Versions, counts, workers, queues, requests and active classifiers."""
        return HttpResponse(to_json(build_status()), content_type="application/json")
