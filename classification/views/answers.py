"""Classifying, and what became of it."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from classification import exports, results, uploads
from classification.filters import (
    ClassificationJobFilterSet,
    ResultFilterSet,
    ReviewFilterSet,
)
from classification.models import Classification
from classification.serializers.answers import (
    BatchSerializer,
    ClassificationJobDetailSerializer,
    ClassificationJobSerializer,
    ClassifySerializer,
    DecideSerializer,
    ReclassifySerializer,
    ResultWithOriginSerializer,
    TouchedSerializer,
    UploadSerializer,
)
from classification.services import classify, reclassification, reviews, touched
from nexus.api.conditional import answer
from nexus.api.errors import invalid
from nexus.api.filters import FilterSet, filter_strictly
from nexus.api.pagination import KeysetPagination
from nexus.api.parsers import JSONParser
from nexus.api.permissions import ANY_ROLE
from nexus.api.renderers import files, to_json
from nexus.api.serializers import validated_values
from nexus.api.views import GenericViewSet, ListMixin
from nexus.jobs import services as jobs
from nexus.jobs.models import Job
from products.models import Product

DECIDE = "classification.decide_review"

PREFER = OpenApiParameter(
    "Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: answer 202 and a queued job."
)
DRILL = OpenApiExample(
    "A text",
    value={"name": "MAKITA DHP484Z 18V LXT combi drill body only", "manufacturer": "Makita", "top_k": 5},
    request_only=True,
)
BY_FILTER = OpenApiExample(
    "All products without a category",
    value={"filter": {"category__isnull": True}, "taxonomy": "nexus-hardware", "apply": True},
    request_only=True,
)
BECAUSE_OF_RULE = OpenApiExample(
    "After a new rule", value={"because": {"rule": 12}, "apply": True}, request_only=True
)


def validated(serializer: Any) -> Any:
    """The serializer after it has accepted its data. Raises ValidationError."""
    serializer.is_valid(raise_exception=True)
    return serializer


@extend_schema(tags=["Classification"])
@extend_schema_view(
    list=extend_schema(
        summary="List classification jobs",
        description="The caller's own, newest first; administrators see all.",
    ),
)
class ClassifyViewSet(ListMixin, GenericViewSet):
    """Classification jobs and their results."""

    queryset = Job.objects.filter(kind=classify.KIND)
    serializer_class = ClassificationJobSerializer
    filterset_class: type[FilterSet] = ClassificationJobFilterSet
    lookup_value_converter = "uuid"
    ordering_fields = ("created_at",)
    permissions = {
        "list": ANY_ROLE,
        "retrieve": ANY_ROLE,
        "export": ANY_ROLE,
        "create": classify.PERMISSION,
        "batch": classify.PERMISSION,
        "reclassify": classify.PERMISSION,
        "cancel": classify.PERMISSION,
        "retry": classify.PERMISSION,
    }

    def get_queryset(self) -> QuerySet[Any]:
        """The jobs that the user may see."""
        return Job.objects.filter(kind=classify.KIND).visible_to(self.request.user)

    @extend_schema(
        summary="Classify one product",
        description="Answers at once with the finished job and its result inline.",
        request=ClassifySerializer,
        parameters=[PREFER],
        examples=[DRILL],
        responses={
            200: ClassificationJobDetailSerializer,
            202: OpenApiResponse(
                ClassificationJobDetailSerializer, description="With `Prefer: respond-async`."
            ),
        },
    )
    def create(self, request: Request) -> HttpResponse:
        """The finished job; the accepted one when the caller prefers not to wait."""
        item, options = ClassifySerializer.parts_of(validated_values(ClassifySerializer, request.data))
        if "respond-async" in request.META.get("HTTP_PREFER", "").lower():
            chosen = classify.options(**options)
            job = classify.classify_items([item], chosen=chosen, user_id=request.user.pk)
            return self._accepted(job, Preference_Applied="respond-async")
        job, result, loaded = classify.classify_one(item, **options, user_id=request.user.pk)
        page = {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [results.represent_fresh(result, loaded)],
        }
        return HttpResponse(
            to_json({**self.represent(job), "results": page}), content_type="application/json"
        )

    @extend_schema(
        summary="Classify many products",
        description="Up to 10,000 items or ids in the body, a file, or any number of products by filter.",
        request={"application/json": BatchSerializer, "multipart/form-data": UploadSerializer},
        examples=[BY_FILTER],
        responses={202: ClassificationJobDetailSerializer},
    )
    @action(detail=False, methods=["post"], parser_classes=[JSONParser, MultiPartParser])
    def batch(self, request: Request) -> HttpResponse:
        """The accepted job."""
        if "file" in request.FILES:
            upload = validated(UploadSerializer(data=request.data))
            rows = uploads.items_of(upload.validated_data["file"])
            chosen = classify.options(**upload.options())
            return self._accepted(classify.classify_items(rows, chosen=chosen, user_id=request.user.pk))
        serializer = validated(BatchSerializer(data=request.data))
        chosen, given = classify.options(**serializer.options()), serializer.validated_data
        if "filter" in given:
            job = classify.classify_filter(given["filter"], chosen=chosen, user_id=request.user.pk)
        else:
            items = given.get("items") or [{"product_id": pk} for pk in given["product_ids"]]
            job = classify.classify_items(items, chosen=chosen, user_id=request.user.pk)
        return self._accepted(job)

    @extend_schema(
        summary="Classify again what a change touches",
        description="After a rule: products that it hits or has answered for. After another classifier became "
        "active: products with an automatic category or an open review. After a change of a taxonomy: products whose "
        "category has moved or is of another version, and open reviews. What people chose is never touched.",
        request=ReclassifySerializer,
        examples=[BECAUSE_OF_RULE],
        responses={
            200: OpenApiResponse(TouchedSerializer, description="With `dry_run`."),
            202: ClassificationJobDetailSerializer,
        },
    )
    @action(detail=False, methods=["post"])
    def reclassify(self, request: Request) -> HttpResponse:
        """The accepted job, or the number of products that it would be about."""
        given = validated(ReclassifySerializer(data=request.data)).validated_data
        if given["dry_run"]:
            return answer(request, touched.count(given["because"])._asdict())
        return self._accepted(
            reclassification.reclassify(given["because"], apply=given["apply"], user_id=request.user.pk)
        )

    @extend_schema(
        summary="Read a classification job and its results",
        responses=ClassificationJobDetailSerializer,
        parameters=[
            OpenApiParameter("decision", str, enum=Classification.Decision.values),
            OpenApiParameter("page_size", int),
            OpenApiParameter("cursor", str),
        ],
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """The job with a page of its results."""
        return answer(request, self._detail(self._job()))

    @extend_schema(
        summary="Cancel a classification job",
        description="What is done stays.",
        request=None,
        responses={202: ClassificationJobDetailSerializer},
    )
    @action(detail=True, methods=["post"], takes_body=False)
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """The job as it is after the request to stop."""
        return answer(request, self._detail(jobs.cancel(self._job())), 202)

    @extend_schema(
        summary="Retry a classification job",
        description="Takes up again only what failed or was not done.",
        request=None,
        responses={202: ClassificationJobDetailSerializer},
    )
    @action(detail=True, methods=["post"], takes_body=False)
    def retry(self, request: Request, pk: str) -> HttpResponse:
        """The job, queued again."""
        return answer(request, self._detail(jobs.retry(self._job())), 202)

    @extend_schema(
        summary="Download the results of a job",
        parameters=[OpenApiParameter("format", str, enum=list(exports.CONTENT_TYPES), default="csv")],
        responses={(200, "text/csv"): str, (200, "application/jsonl"): str},
    )
    @action(detail=True, methods=["get"], renderer_classes=files("text/csv", "application/jsonl"))
    def export(self, request: Request, pk: str) -> StreamingHttpResponse:
        """All results so far, streamed."""
        unknown = set(request.query_params) - {"format"}
        form = request.query_params.get("format", "csv")
        if unknown or form not in exports.CONTENT_TYPES:
            name = unknown.pop() if unknown else "format"
            raise invalid(f"/query/{name}", "invalid", "The one parameter is format: csv or jsonl.")
        job = self._job()
        return StreamingHttpResponse(
            exports.rows(job, form),
            content_type=exports.CONTENT_TYPES[form],
            headers={"Content-Disposition": f'attachment; filename="classification-{job.pk}.{form}"'},
        )

    def _job(self) -> Job:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def _detail(self, job: Job) -> dict[str, Any]:
        queryset = filter_strictly(
            ResultFilterSet, self.request, Classification.objects.filter(job=job).order_by("position")
        )
        paginator = KeysetPagination()
        rows = paginator.paginate_queryset(queryset, self.request)
        return {**self.represent(job), "results": paginator.envelope(results.represent_all(rows))}

    def _accepted(self, job: Job, **headers: str) -> HttpResponse:
        address = self.request.build_absolute_uri(f"/api/v1/classify/{job.pk}")
        page: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
        return answer(
            self.request, {**self.represent(job), "results": page}, 202, Location=address, **headers
        )


@extend_schema(tags=["Reviews"])
@extend_schema_view(
    list=extend_schema(
        summary="List open reviews",
        description="The least certain first. Audits, which are certain answers that were drawn by lot, take a place "
        "by lot among them.",
    ),
    retrieve=extend_schema(summary="Read a review, open or decided", responses=ResultWithOriginSerializer),
)
class ReviewViewSet(GenericViewSet):
    """Doubtful answers, and what people decide about them."""

    queryset = Classification.objects.all()
    serializer_class = ResultWithOriginSerializer
    filterset_class = ReviewFilterSet
    ordering_fields = ("confidence", "id")
    permissions = {"list": ANY_ROLE, "retrieve": ANY_ROLE, "decide": DECIDE}

    def list(self, request: Request) -> HttpResponse:
        """A page of the open reviews."""
        return paged(self, Classification.objects.open_reviews())

    def retrieve(self, request: Request, pk: int) -> HttpResponse:
        """One answer with its review, if there was one."""
        return answer(request, self._represent(self._answer(pk)))

    @extend_schema(
        summary="Decide a review",
        description="The second of two people who decide at once gets 409.",
        request=DecideSerializer,
        responses={200: ResultWithOriginSerializer},
        examples=[
            OpenApiExample("Accept", value={"decision": "accept"}, request_only=True),
            OpenApiExample(
                "Correct",
                value={"decision": "correct", "category_id": 42, "note": "Not a drill"},
                request_only=True,
            ),
        ],
    )
    def decide(self, request: Request, pk: int) -> HttpResponse:
        """The answer as it is after the decision."""
        given = validated(DecideSerializer(data=request.data)).validated_data
        decided = reviews.decide(
            self._answer(pk),
            decision=given["decision"],
            category_id=given.get("category_id"),
            note=given.get("note", ""),
            user_id=request.user.pk,
        )
        return answer(request, self._represent(decided))

    def _answer(self, pk: int) -> Classification:
        return get_object_or_404(Classification.objects.doubtful().select_related("review"), pk=pk)

    def _represent(self, classification: Classification) -> dict[str, Any]:
        return results.represent_with_origin([classification])[0]


@extend_schema(tags=["Products"])
class ProductClassificationViewSet(GenericViewSet):
    """How a product was classified over time."""

    queryset = Classification.objects.all()
    serializer_class = ResultWithOriginSerializer
    permissions = {"list": ANY_ROLE}

    @extend_schema(summary="List the classifications of a product", description="The newest first.")
    def list(self, request: Request, pk: int) -> HttpResponse:
        """A page of the product's classifications."""
        get_object_or_404(Product.objects.only("id"), pk=pk)
        return paged(self, Classification.objects.filter(product=pk).order_by("-id"))


def paged(view: GenericViewSet, queryset: QuerySet[Classification]) -> HttpResponse:
    """A page of answers outside of their jobs."""
    queryset = view.filter_queryset(queryset.select_related("review"))
    rows = view.paginator.paginate_queryset(queryset, view.request, view=view)
    body = view.paginator.envelope(results.represent_with_origin(rows))
    return HttpResponse(to_json(body), content_type="application/json")
