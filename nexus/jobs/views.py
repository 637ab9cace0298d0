"""Jobs of every kind: how far they are, and how to stop or repeat them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.errors import Problem
from nexus.api.permissions import ANY_ROLE
from nexus.api.views import ReadOnlyViewSet
from nexus.jobs import services
from nexus.jobs.filters import JobFilterSet
from nexus.jobs.kinds import kind_of
from nexus.jobs.models import Job
from nexus.jobs.serializers import JobSerializer


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
    permissions = {"list": ANY_ROLE, "retrieve": ANY_ROLE, "cancel": ANY_ROLE, "retry": ANY_ROLE}
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
        """Ask a job to stop after the chunks that are under way."""
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

    def _job_to_steer(self) -> Job:
        """The job of the address. Raises Problem (403) when the user's roles do not allow such jobs any more."""
        job: Job = self.get_object()
        permission = kind_of(job).permission
        if permission and not self.request.user.has_perm(permission):
            raise Problem("permission_denied", "Your roles do not allow this.", status=403)
        return job
