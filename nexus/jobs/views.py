"""Jobs of every kind: how far they are, and how to stop or repeat them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.errors import Forbidden
from nexus.api.filters import FilterSet, filter_strictly
from nexus.api.permissions import ANY_ROLE
from nexus.api.renderers import files as files_of
from nexus.api.views import GenericViewSet, ListMixin, ReadOnlyViewSet
from nexus.jobs import files, kinds, services
from nexus.jobs.filters import ChunkFilterSet, FileFilterSet, JobFilterSet, LogLineFilterSet
from nexus.jobs.models import Chunk, File, Job, LogLine
from nexus.jobs.serializers import (
    ChunkSerializer,
    FileSerializer,
    JobKindListSerializer,
    JobKindSerializer,
    JobSerializer,
    LogLineSerializer,
)


@extend_schema(tags=["Jobs"])
@extend_schema_view(
    list=extend_schema(
        summary="List jobs", description="The caller's own, newest first; administrators see all."
    ),
    retrieve=extend_schema(summary="Read a job"),
)
class JobViewSet(ReadOnlyViewSet):
    """All long work of Nexus."""

    queryset = Job.objects.all()
    serializer_class = JobSerializer
    filterset_class = JobFilterSet
    ordering_fields = ("created_at",)
    permissions = {
        "list": ANY_ROLE,
        "retrieve": ANY_ROLE,
        "cancel": ANY_ROLE,
        "retry": ANY_ROLE,
        "kinds": ANY_ROLE,
    }
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Any]:
        """The jobs that the user may see."""
        return Job.objects.visible_to(self.request.user)

    @extend_schema(
        summary="Cancel a job",
        description="What is done stays.",
        request=None,
        responses={202: JobSerializer},
    )
    @action(detail=True, methods=["post"], takes_body=False)
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """Ask a job to stop: long chunks in the middle, short ones when they are done."""
        return answer(request, self.represent(services.cancel(self._job_to_steer())), 202)

    @extend_schema(
        summary="Retry a job",
        description="Takes up again only what failed or was not done.",
        request=None,
        responses={202: JobSerializer},
    )
    @action(detail=True, methods=["post"], takes_body=False)
    def retry(self, request: Request, pk: str) -> HttpResponse:
        """Take up what failed or was not done."""
        return answer(request, self.represent(services.retry(self._job_to_steer())), 202)

    @extend_schema(
        summary="List the kinds of jobs",
        description="Every kind of long work.",
        responses=JobKindListSerializer,
        filters=False,
        parameters=[],
    )
    @action(detail=False, pagination_class=None, filterset_class=None)
    def kinds(self, request: Request) -> HttpResponse:
        """All kinds, by name."""
        filter_strictly(_NoParameters, request, Job.objects.none())
        known = [
            {"name": kind.name, "queue": kind.queue or None, "permission": kind.permission or None}
            for kind in kinds.known()
        ]
        shown = JobKindSerializer(known, many=True).data
        return answer(request, {"count": len(shown), "next": None, "previous": None, "results": shown})

    def _job_to_steer(self) -> Job:
        """The job of the address. Raises Forbidden when the user's roles do not allow such jobs any more."""
        job: Job = self.get_object()
        if not kinds.kind_of(job).is_allowed_to(self.request.user, job):
            raise Forbidden
        return job


class _NoParameters(FilterSet):
    """For a list that is always whole."""

    class Meta:
        model = Job
        fields: list[str] = []

    @classmethod
    def parameters(cls) -> set[str]:
        return set()


class OfOneJob(ListMixin, GenericViewSet):
    """A list of what belongs to the job of the address."""

    permissions = {"list": ANY_ROLE}
    # The order says what came first.
    ordering_fields = ()

    def get_queryset(self) -> QuerySet[Any]:
        """What belongs to the job. Raises Http404 for one that the user may not see."""
        job = get_object_or_404(Job.objects.visible_to(self.request.user), pk=self.kwargs["pk"])
        return super().get_queryset().filter(job=job)


@extend_schema(tags=["Jobs"])
@extend_schema_view(
    list=extend_schema(
        summary="List the chunks of a job",
        description="In their order. Those with `status=failed` were set aside after three attempts; `error` says why.",
    ),
)
class ChunkViewSet(OfOneJob):
    """The parts of a job, and how each of them is."""

    queryset = Chunk.objects.order_by("position")
    serializer_class = ChunkSerializer
    filterset_class = ChunkFilterSet


@extend_schema(tags=["Jobs"])
@extend_schema_view(
    list=extend_schema(
        summary="List the log lines of a job",
        description="The newest first, of which 1,000 are kept. Each is there as soon as it happens.",
    ),
)
class LogLineViewSet(OfOneJob):
    """What happened to a job."""

    queryset = LogLine.objects.order_by("-id")
    serializer_class = LogLineSerializer
    filterset_class = LogLineFilterSet


@extend_schema(tags=["Jobs"])
@extend_schema_view(
    list=extend_schema(
        summary="List the files of a job",
        description="What it was given, and what it has made; to be had at `/api/v1/jobs/{id}/files/{name}`.",
    ),
)
class FileViewSet(OfOneJob):
    """Files of a job, for its owner and for administrators."""

    queryset = File.objects.downloadable().order_by("id")
    serializer_class = FileSerializer
    filterset_class = FileFilterSet
    permissions = {"list": ANY_ROLE, "download": ANY_ROLE}

    @extend_schema(
        summary="Download a file of a job",
        description="Streamed, with the SHA-256 of its bytes as entity tag.",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def download(self, request: Request, pk: str, name: str) -> HttpResponseBase:
        """The bytes. Raises Http404 for a file that the user may not have."""
        return files.download(get_object_or_404(self.get_queryset(), name=name), request)


download_file = FileViewSet.as_view(
    {"get": "download"}, renderer_classes=files_of(*files.MEDIA_TYPES), filterset_class=None
)
