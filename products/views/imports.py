"""The addresses of imports and of the profiles that they are read by."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.parsers import JSONParser
from nexus.api.permissions import ANY_ROLE
from nexus.api.renderers import files as files_of
from nexus.api.views import GenericViewSet, ModelViewSet
from nexus.jobs.models import Job
from nexus.jobs.views import OfOneJob
from products.files.layouts import Row
from products.filters import ImportFaultFilterSet, ImportProfileFilterSet
from products.import_serializers import (
    ImportFaultSerializer,
    ImportJobSerializer,
    ImportProfileSerializer,
    ImportSerializer,
    PreviewSerializer,
)
from products.models import ImportFault, ImportProfile
from products.services import imports
from products.services.imports import reports
from products.services.imports.kept import as_kept
from products.services.imports.options import Plan
from products.services.imports.profiles import save_profile
from products.services.imports.rules import rules_of

SHOWN_ROWS = 10
CSV_TOO = files_of("text/csv")


@extend_schema(tags=["Products"])
class ImportViewSet(GenericViewSet):
    """Files of products in."""

    queryset = Job.objects.filter(kind=imports.KIND)
    serializer_class = ImportJobSerializer
    filterset_class = None
    pagination_class = None
    permissions = {
        "create": imports.PERMISSION,
        "preview": imports.PERMISSION,
        "retrieve": ANY_ROLE,
        "failed_rows": ANY_ROLE,
        "changes": ANY_ROLE,
    }
    parser_classes = [JSONParser, MultiPartParser]

    def get_queryset(self) -> QuerySet[Any]:
        """The imports that the user may see."""
        return super().get_queryset().visible_to(self.request.user)  # type: ignore[attr-defined]

    @extend_schema(
        summary="Import products",
        description="CSV, XLSX or JSON lines, each also compressed with gzip. Delimiter, encoding, header and columns "
        "are guessed and told in `result`; whatever is given is not guessed. The job that answers reads the file, "
        "checks each row by the rules of `POST /api/v1/products`, and writes the good ones: products are known by "
        "their SKU, and rows that change nothing write nothing. The others are at `/errors` and `/failed-rows`.",
        request={"multipart/form-data": ImportSerializer, "application/json": ImportSerializer},
        responses={202: ImportJobSerializer},
    )
    def create(self, request: Request) -> HttpResponse:
        """The accepted job."""
        form = _form(request)
        given = form.validated_data
        if "job" in given:
            earlier = get_object_or_404(self.get_queryset(), pk=given["job"])
            job = imports.again(earlier, form.options(), user=request.user)
        else:
            upload = given["file"]
            job = imports.accept(upload.file, upload.name, form.options(), user=request.user)
        location = request.build_absolute_uri(f"/api/v1/products/import/{job.pk}")
        return answer(request, self.represent(job), 202, Location=location)

    @extend_schema(
        summary="Look at a file before it is imported",
        description="How it would be read, and its first rows. Nothing is kept.",
        request={"multipart/form-data": ImportSerializer, "application/json": ImportSerializer},
        responses={200: PreviewSerializer},
    )
    def preview(self, request: Request) -> HttpResponse:
        """The guesses, and the first rows as they would be imported."""
        form = _form(request)
        given = form.validated_data
        if "job" in given:
            earlier = get_object_or_404(self.get_queryset(), pk=given["job"])
            plan, first = imports.preview_again(earlier, form.options(), user=request.user)
        else:
            plan, first = imports.preview(given["file"].file, form.options(), user=request.user)
        return answer(request, _shown(plan, first.rows[:SHOWN_ROWS]))

    @extend_schema(summary="Read an import and its counts", responses=ImportJobSerializer)
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """The job, with counts as they are at this moment."""
        return answer(request, self.represent(self.get_object()))

    @extend_schema(
        summary="Download the rows that failed",
        description="CSV: each row as it was in the file, and a column `import_error` that says all that is wrong. "
        "Mended, it can be imported as it is.",
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def failed_rows(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The rows, streamed."""
        return _download(reports.failed_rows(self.get_object()), f"failed-rows-{pk}.csv")

    @extend_schema(
        summary="Download what a dry run would change",
        description="CSV: a line for each field of each product, before and after.",
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def changes(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The changes, streamed."""
        return _download(reports.changes(self.get_object()), f"changes-{pk}.csv")


@extend_schema(tags=["Products"])
@extend_schema_view(
    list=extend_schema(
        summary="List the errors of an import",
        description="Every one of every row, in their order in the file.",
    )
)
class ImportFaultViewSet(OfOneJob):
    """What is wrong about the rows of a file."""

    queryset = ImportFault.objects.order_by("row", "id")
    serializer_class = ImportFaultSerializer
    filterset_class = ImportFaultFilterSet


@extend_schema(tags=["Products"])
@extend_schema_view(
    list=extend_schema(summary="List import profiles"),
    create=extend_schema(
        summary="Keep an import profile", description="409 `name_taken` when there is one of that name."
    ),
    retrieve=extend_schema(summary="Read an import profile"),
    update=extend_schema(summary="Replace an import profile"),
    partial_update=extend_schema(summary="Change an import profile"),
    destroy=extend_schema(
        summary="Delete an import profile", description="Imports that used it are not touched."
    ),
)
class ImportProfileViewSet(ModelViewSet):
    """How the files of suppliers are read."""

    queryset = ImportProfile.objects.all()
    serializer_class = ImportProfileSerializer
    filterset_class = ImportProfileFilterSet
    ordering_fields = ("name",)
    permissions = {
        "list": ANY_ROLE,
        "retrieve": ANY_ROLE,
        "create": imports.PERMISSION,
        "update": imports.PERMISSION,
        "partial_update": imports.PERMISSION,
        "destroy": imports.PERMISSION,
    }

    def perform_create(self, serializer: Any) -> ImportProfile:
        """A new profile."""
        return save_profile(ImportProfile(), serializer.validated_data)

    def perform_update(self, serializer: Any) -> ImportProfile:
        """The profile with its changes."""
        return save_profile(serializer.instance, serializer.validated_data)

    def perform_destroy(self, instance: ImportProfile) -> None:
        """Delete the profile."""
        instance.delete()


def _form(request: Request) -> ImportSerializer:
    form = ImportSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return form


def _shown(plan: Plan, rows: list[Row]) -> dict[str, Any]:
    rules = rules_of(plan)
    candidates = [rules.candidate(as_kept(row)) for row in rows]
    return {
        "layout": plan.layout.as_json(),
        "mapping": plan.mapping,
        "unmapped": [column for column in plan.layout.columns if column not in plan.mapping],
        "taxonomy": plan.taxonomy,
        "rows": [
            {
                "row": one.number,
                "values": one.values,
                "errors": [
                    {"column": fault.column, "code": fault.code, "detail": fault.detail}
                    for fault in one.faults
                ],
            }
            for one in candidates
        ],
    }


def _download(parts: Any, name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        parts,
        content_type=reports.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


# Downloads are CSV whatever a caller accepts.
download_failed_rows = ImportViewSet.as_view({"get": "failed_rows"}, renderer_classes=CSV_TOO)
download_changes = ImportViewSet.as_view({"get": "changes"}, renderer_classes=CSV_TOO)
