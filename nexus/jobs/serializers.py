"""Jobs as the API shows them."""

from rest_framework import serializers

from nexus.api.serializers import ModelSerializer
from nexus.jobs.models import Job


class JobSerializer(ModelSerializer):
    """A job with its progress, counted in items."""

    eta_s = serializers.FloatField(
        read_only=True,
        allow_null=True,
        help_text="Seconds until the end at the pace so far; null before there is one.",
    )

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "status",
            "created_by",
            "total",
            "processed",
            "succeeded",
            "failed",
            "created_at",
            "started_at",
            "finished_at",
            "eta_s",
            "error",
            "result",
        ]
        read_only_fields = fields
