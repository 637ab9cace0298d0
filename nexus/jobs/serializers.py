"""Jobs as the API shows them."""

from rest_framework import serializers

from nexus.api.serializers import ModelSerializer, Serializer
from nexus.jobs.models import Chunk, File, Job, LogLine


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
            "reason",
            "total",
            "prepared",
            "processed",
            "succeeded",
            "failed",
            "created_at",
            "started_at",
            "prepared_at",
            "cancel_requested_at",
            "finished_at",
            "eta_s",
            "error",
            "result",
        ]
        read_only_fields = fields


class ChunkSerializer(ModelSerializer):
    """A part of a job: its items are those from `first` on, `size` of them."""

    class Meta:
        model = Chunk
        fields = [
            "position",
            "first",
            "size",
            "status",
            "attempts",
            "leased_by",
            "leased_until",
            "succeeded",
            "failed",
            "error",
        ]
        read_only_fields = fields


class LogLineSerializer(ModelSerializer):
    """What happened to a job: to one of its chunks, at a worker, or by a user where these are given."""

    class Meta:
        model = LogLine
        fields = ["id", "at", "level", "message", "chunk", "worker", "user"]
        read_only_fields = fields


class FileSerializer(ModelSerializer):
    """A file of a job: its input, or what it has made."""

    class Meta:
        model = File
        fields = ["id", "role", "name", "media_type", "size", "sha256", "created_at"]
        read_only_fields = fields


class JobKindSerializer(Serializer):
    """A kind of jobs."""

    name = serializers.CharField()
    queue = serializers.CharField(
        allow_null=True, help_text="The queue of all its jobs; null where it follows from their size."
    )
    permission = serializers.CharField(
        allow_null=True, help_text="What the owner of a job needs to cancel or retry it; null for any role."
    )


class JobKindListSerializer(Serializer):
    """All kinds, in the shape of a list."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = JobKindSerializer(many=True)
