"""The addresses of steps between taxonomies, of what a version changed, and of carrying products over."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.errors import NotFound, invalid
from nexus.api.permissions import ANY_ROLE
from nexus.api.views import GenericViewSet, ModelViewSet
from nexus.jobs.answers import accepted
from nexus.jobs.serializers import JobSerializer
from products.filters import CategoryMappingFilterSet
from products.mapping_serializers import (
    CarryBackSerializer,
    CarryOverPreviewSerializer,
    CarryOverSerializer,
    CategoryMappingSerializer,
    PairSerializer,
    ProposedSerializer,
    VersionChangesSerializer,
)
from products.models import CategoryMapping, Taxonomy
from products.services import carrying, comparing, mapping
from products.views.taxonomies import permissions_on

SHOWN, MOST_SHOWN = 100, 10_000


@extend_schema(tags=["Taxonomies"])
@extend_schema_view(
    list=extend_schema(
        summary="List the steps between taxonomies", description="With `is_decided=false` the suggestions."
    ),
    create=extend_schema(
        summary="Decide where a category goes",
        description="For administrators. Suggestions for the category go. 409 `step_taken` for a step that is there.",
    ),
    retrieve=extend_schema(
        summary="Read a step between taxonomies", description="With what speaks for it, and who decided."
    ),
    update=extend_schema(
        summary="Decide about a step",
        description="For administrators. With the target that it has, a suggestion is confirmed.",
    ),
    partial_update=extend_schema(
        summary="Decide about a step by its target",
        description="For administrators. With the target that it has, a suggestion is confirmed.",
    ),
    destroy=extend_schema(summary="Delete a step between taxonomies", description="For administrators."),
)
class CategoryMappingViewSet(ModelViewSet):
    """Where categories of one taxonomy have gone in another."""

    queryset = CategoryMapping.objects.select_related(
        "source__taxonomy", "target__taxonomy", "source_taxonomy", "target_taxonomy"
    )
    serializer_class = CategoryMappingSerializer
    filterset_class = CategoryMappingFilterSet
    ordering_fields = ("id",)
    permissions = {**permissions_on("categorymapping"), "propose": "products.add_categorymapping"}

    def perform_create(self, serializer: Any) -> CategoryMapping:
        """A new step."""
        given = serializer.validated_data
        target = given["target"]
        taxonomy = target.taxonomy if target else self._taxonomy(given.get("target_taxonomy_id"))
        step = mapping.decide(given["source"], target, taxonomy, user_id=self.request.user.pk)
        return self.get_queryset().get(pk=step.pk)

    def perform_update(self, serializer: Any) -> CategoryMapping:
        """The step with its target."""
        if "target" not in serializer.validated_data:
            return serializer.instance
        target = serializer.validated_data["target"]
        step = mapping.change(serializer.instance, target, user_id=self.request.user.pk)
        return self.get_queryset().get(pk=step.pk)

    def perform_destroy(self, instance: CategoryMapping) -> None:
        """Delete the step."""
        mapping.forget(instance)

    @extend_schema(
        summary="Propose the steps between two taxonomies",
        description="For administrators. For categories that have none yet: by code between versions of one "
        "taxonomy, by path, and as a suggestion by a name that is unique on both sides.",
        request=PairSerializer,
        responses={200: ProposedSerializer},
    )
    @action(detail=False, methods=["post"])
    def propose(self, request: Request) -> HttpResponse:
        """How many were added."""
        serializer = PairSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return answer(request, mapping.propose(**serializer.validated_data))

    @staticmethod
    def _taxonomy(pk: int | None) -> Taxonomy:
        found = Taxonomy.objects.filter(pk=pk).first() if pk else None
        if found is None:
            raise invalid("/target_taxonomy", "required", "Say of which taxonomy nothing takes its place.")
        return found


@extend_schema(tags=["Taxonomies"])
class VersionViewSet(GenericViewSet):
    """What a version of a taxonomy changed, and what is carried over to it."""

    queryset = Taxonomy.objects.all()
    serializer_class = VersionChangesSerializer
    permissions = {
        "changes": ANY_ROLE,
        "preview": ANY_ROLE,
        "carry_over": carrying.PERMISSION,
        "carry_back": carrying.PERMISSION,
    }

    @extend_schema(
        summary="Compare a version of a taxonomy with an earlier one",
        description="What it adds, removes, moves and renames, by code, and by path where the code is another.",
        parameters=[
            OpenApiParameter("since", str, description="`code@version`; without it the version before."),
            OpenApiParameter(
                "limit", int, description="Differences shown of each kind: 0 to 10,000, or 100."
            ),
        ],
        responses=VersionChangesSerializer,
    )
    def changes(self, request: Request, pk: int) -> HttpResponse:
        """The numbers, and the first differences of each kind."""
        new = self._taxonomy()
        old = self._named("since") or _before(new)
        report = comparing.compare(old, new).report(_limit(request.query_params.get("limit")))
        return answer(request, {"since": f"{old.code}@{old.version}", **report})

    @extend_schema(
        summary="See what carrying over would do",
        description="How many products would be carried, and which categories lead nowhere, with the reason.",
        parameters=[
            OpenApiParameter("source", str, description="`code@version`; without it the version before.")
        ],
        responses=CarryOverPreviewSerializer,
    )
    def preview(self, request: Request, pk: int) -> HttpResponse:
        """The preview."""
        target = self._taxonomy()
        return answer(request, carrying.preview(self._named("source") or _before(target), target))

    @extend_schema(
        summary="Carry products over to a taxonomy",
        description="For administrators. Along the decided mappings, with rules and reviewers' decisions, as a job. "
        "Who chose a category is kept. What leads nowhere stays, and counts as failed; a retry takes it up again.",
        request=CarryOverSerializer,
        responses={202: JobSerializer},
    )
    def carry_over(self, request: Request, pk: int) -> HttpResponse:
        """The accepted job."""
        serializer = CarryOverSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        source, target = serializer.validated_data["source"], self._taxonomy()
        return accepted(request, carrying.carry_over(source, target, user_id=request.user.pk))

    @extend_schema(
        summary="Take a carrying over back",
        description="For administrators. Products that nobody has classified since get the category that they had.",
        request=CarryBackSerializer,
        responses={202: JobSerializer},
    )
    def carry_back(self, request: Request, pk: int) -> HttpResponse:
        """The accepted job."""
        serializer = CarryBackSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        job = carrying.carry_back(self._taxonomy(), serializer.validated_data["job"], user_id=request.user.pk)
        return accepted(request, job)

    def _taxonomy(self) -> Taxonomy:
        return get_object_or_404(Taxonomy, pk=self._key)

    def _named(self, parameter: str) -> Taxonomy | None:
        reference = self.request.query_params.get(parameter, "")
        if not reference:
            return None
        found = Taxonomy.objects.meant_by(reference.replace("\x00", "")).first()
        if found is None:
            raise invalid(f"/query/{parameter}", "does_not_exist", f"There is no taxonomy {reference!r}.")
        return found


def _before(taxonomy: Taxonomy) -> Taxonomy:
    """The version that was made before a version. Raises NotFound for the first."""
    earlier = Taxonomy.objects.filter(code=taxonomy.code, pk__lt=taxonomy.pk).order_by("-pk").first()
    if earlier is None:
        raise NotFound("no_version_before", f"There is no version before {taxonomy}.")
    return earlier


def _limit(given: str | None) -> int:
    if given is None:
        return SHOWN
    if not (given.isascii() and given.isdigit() and len(given) <= 5 and int(given) <= MOST_SHOWN):
        raise invalid("/query/limit", "invalid", f"Give a number from 0 to {MOST_SHOWN}.")
    return int(given)
