"""How a request is answered that a job will do."""

from django.http import HttpResponse
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.reading import shower
from nexus.jobs.models import Job
from nexus.jobs.serializers import JobSerializer


def accepted(request: Request, job: Job) -> HttpResponse:
    """202 with the job and its address."""
    address = request.build_absolute_uri(f"/api/v1/jobs/{job.pk}")
    return answer(request, shower(JobSerializer)(job), 202, Location=address)
