"""The addresses of taxonomies and their categories."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.parsers import JSONParser
from nexus.api.permissions import ANY_ROLE
from nexus.api.views import ModelViewSet
from nexus.jobs.answers import accepted
from nexus.jobs.models import Job
from nexus.jobs.serializers import JobSerializer
from products.filters import CategoryFilterSet, TaxonomyFilterSet
from products.models import Category, Taxonomy
from products.serializers import CategorySerializer, TaxonomySerializer
from products.services import categories, taxonomies, taxonomy_deletion, taxonomy_imports
from products.taxonomy_serializers import (
    ImportReportSerializer,
    TaxonomyTextSerializer,
    TaxonomyUploadSerializer,
    sent_taxonomy,
)
from products.views import examples


def permissions_on(model: str) -> dict[str, str]:
    """Everybody with a role reads; the rest needs the permissions on a model."""
    return {
        "list": ANY_ROLE,
        "retrieve": ANY_ROLE,
        "create": f"products.add_{model}",
        "update": f"products.change_{model}",
        "partial_update": f"products.change_{model}",
        "destroy": f"products.delete_{model}",
    }


@extend_schema(tags=["Taxonomies"])
@extend_schema_view(
    list=extend_schema(summary="List taxonomies", description="Every version of every taxonomy."),
    create=extend_schema(
        summary="Create a taxonomy",
        description="For administrators. One version of a code is current: the one made or changed to be so last.",
        examples=[examples.NEW_TAXONOMY, examples.TAXONOMY],
    ),
    retrieve=extend_schema(
        summary="Read a taxonomy",
        description="`revision` counts the changes of its tree, names and keywords.",
        examples=[examples.TAXONOMY],
    ),
    update=extend_schema(
        summary="Replace a taxonomy",
        description="For administrators.",
        examples=[examples.NEW_TAXONOMY, examples.TAXONOMY],
    ),
    partial_update=extend_schema(
        summary="Change some fields of a taxonomy",
        description="For administrators.",
        examples=[examples.TAXONOMY],
    ),
    destroy=extend_schema(
        summary="Delete a taxonomy",
        description="For administrators. Its categories, and the answers, rules and classifiers made with them, go "
        "too; 409 `in_use` while products are in them. A large one is deleted by a job: 202.",
        responses={204: None, 202: JobSerializer},
    ),
)
class TaxonomyViewSet(ModelViewSet):
    """Classification systems, each version one."""

    queryset = Taxonomy.objects.all()
    serializer_class = TaxonomySerializer
    filterset_class = TaxonomyFilterSet
    ordering_fields = ("id", "code")
    permissions = {**permissions_on("taxonomy"), "import_file": taxonomy_imports.PERMISSION}

    @extend_schema(
        summary="Import a taxonomy",
        description="For administrators. The format is guessed from the file unless it is given, and shown in the "
        "report. A file in another language than the taxonomy that is there adds its names as keywords. All mistakes "
        "are told, each at `/file/<line>/<column>`; then nothing is written. A large file is loaded by a job, whose "
        "`result` is the report.",
        request={"multipart/form-data": TaxonomyUploadSerializer, "application/json": TaxonomyTextSerializer},
        examples=[examples.TAXONOMY_TEXT],
        responses={200: ImportReportSerializer, 202: JobSerializer},
    )
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[JSONParser, MultiPartParser])
    def import_file(self, request: Request) -> HttpResponse:
        """The report, or the accepted job."""
        given = sent_taxonomy(request.data)
        opened = taxonomy_imports.open_file(given.content, given.filename, given.wanted)
        if given.dry_run:
            return answer(request, taxonomy_imports.preview(opened))
        done = taxonomy_imports.run(opened, user_id=request.user.pk)
        return accepted(request, done) if isinstance(done, Job) else answer(request, done)

    def locked(self) -> Any:
        """The taxonomy, locked after the choice of its current version, in the order that everybody locks in."""
        taxonomies.lock_versions_of(self.kwargs["pk"])
        return super().locked()

    def perform_create(self, serializer: Any) -> Taxonomy:
        """A new taxonomy."""
        return taxonomies.create_taxonomy(serializer.validated_data)

    def perform_update(self, serializer: Any) -> Taxonomy:
        """The taxonomy with its changes."""
        return taxonomies.update_taxonomy(serializer.instance, serializer.validated_data)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Nothing, 204; or the accepted job that deletes a large one."""
        with transaction.atomic():
            job = taxonomy_deletion.delete(self.locked(), user_id=request.user.pk)
        return accepted(request, job) if job else HttpResponse(status=204)


@extend_schema(tags=["Taxonomies"])
@extend_schema_view(
    list=extend_schema(
        summary="List categories", description="Of one taxonomy with `taxonomy`, in the order of paths."
    ),
    create=extend_schema(
        summary="Create a category",
        description="For administrators. 409 `code_taken` when the taxonomy has the code.",
        examples=[examples.NEW_CATEGORY, examples.CATEGORY],
    ),
    retrieve=extend_schema(
        summary="Read a category", description="With its path from the root.", examples=[examples.CATEGORY]
    ),
    update=extend_schema(
        summary="Replace a category",
        description="For administrators. The paths of all categories below follow.",
        examples=[examples.NEW_CATEGORY, examples.CATEGORY],
    ),
    partial_update=extend_schema(
        summary="Rename or move a category",
        description="For administrators. The paths of all categories below follow; a category cannot be moved below "
        "itself.",
        examples=[examples.CATEGORY_CHANGE, examples.CATEGORY],
    ),
    destroy=extend_schema(
        summary="Delete a category",
        description="For administrators. 409 `in_use` while it has products or categories below it.",
    ),
)
class CategoryViewSet(ModelViewSet):
    """The nodes of taxonomies."""

    queryset = Category.objects.select_related("taxonomy")
    serializer_class = CategorySerializer
    filterset_class = CategoryFilterSet
    ordering_fields = ("id", "path")
    permissions = permissions_on("category")

    def locked(self) -> Any:
        """The category, locked after its tree, in the order that everybody locks in."""
        categories.lock_tree_of(self.kwargs["pk"])
        return super().locked()

    def perform_create(self, serializer: Any) -> Category:
        """A new category."""
        return categories.create_category(serializer.validated_data)

    def perform_update(self, serializer: Any) -> Category:
        """The category with its changes."""
        return categories.update_category(serializer.instance, serializer.validated_data)

    def perform_destroy(self, instance: Category) -> None:
        """Delete the category."""
        categories.delete_category(instance)
