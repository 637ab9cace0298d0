"""The address where the classifier suggests steps between taxonomies."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from classification.services import mapping_suggestions
from nexus.api.views import APIView
from nexus.jobs.answers import accepted
from nexus.jobs.serializers import JobSerializer
from products.mapping_serializers import PairSerializer


class SuggestMappingsView(APIView):
    """Suggestions by the classifier."""

    permissions = {"post": mapping_suggestions.PERMISSION}

    @extend_schema(
        tags=["Taxonomies"],
        operation_id="mappings_suggest_create",
        summary="Suggest steps between two taxonomies by the classifier",
        description="For administrators. As a job: the classifier of the target reads the names of the source's "
        "categories that have no step yet. Suggestions carry nothing until a person decides.",
        request=PairSerializer,
        responses={202: JobSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """The accepted job."""
        serializer = PairSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        job = mapping_suggestions.suggest(**serializer.validated_data, user_id=request.user.pk)
        return accepted(request, job)
