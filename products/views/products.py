"""The addresses of products."""

from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from nexus.api.conditional import answer
from nexus.api.filters import FilterSet
from nexus.api.pagination import Cursor
from nexus.api.permissions import ANY_ROLE
from nexus.api.reading import RowReader, rows_of
from nexus.api.renderers import files, to_json
from nexus.api.serializers import validated_values
from nexus.api.views import ModelViewSet
from nexus.jobs.models import Job
from nexus.jobs.serializers import JobSerializer
from products import counting, history, search
from products.files.formats import FORMATS
from products.filters import ProductFilterSet
from products.models import Product
from products.serializers import (
    BulkResultSerializer,
    BulkSerializer,
    HistoryEntrySerializer,
    ProductSerializer,
)
from products.services import export_jobs, exports, products
from products.services.bulk import Bulk, apply_bulk
from products.views import examples
from products.views.files import download

READER = RowReader(ProductSerializer())
PRODUCTS = Product.objects.select_related("category__taxonomy")
ROWS = rows_of(READER, PRODUCTS)
FORMAT = OpenApiParameter("format", str, enum=list(FORMATS), default="csv")


@extend_schema(tags=["Products"])
@extend_schema_view(
    list=extend_schema(
        summary="List products",
        description="Filters may be combined. With `search` and without `ordering` the best matches come first.",
    ),
    create=extend_schema(
        summary="Create a product",
        description="409 `sku_taken` when another product has the SKU.",
        examples=[examples.NEW_PRODUCT, examples.PRODUCT],
    ),
    retrieve=extend_schema(
        summary="Read a product",
        description="With its category, and an `ETag` for conditional requests.",
        examples=[examples.PRODUCT],
    ),
    update=extend_schema(
        summary="Replace a product",
        description="Optional fields that are absent take their defaults. A product as it was read may be sent "
        "back: fields that are only read are passed over, and its category is kept.",
        examples=[examples.NEW_PRODUCT, examples.PRODUCT],
    ),
    partial_update=extend_schema(
        summary="Change some fields of a product",
        description="A category that differs counts as chosen by a user, and no classifier overwrites it.",
        examples=[examples.CHANGE, examples.PRODUCT],
    ),
    destroy=extend_schema(
        summary="Delete a product", description="Its history stays at `/api/v1/products/{id}/history`."
    ),
)
class ProductViewSet(ModelViewSet):
    """Products of the catalogue."""

    queryset = PRODUCTS
    serializer_class = ProductSerializer
    filterset_class = ProductFilterSet
    ordering_fields = ("id", "sku", "name", "created_at", "updated_at")
    permissions = {
        "list": ANY_ROLE,
        "retrieve": ANY_ROLE,
        "history": ANY_ROLE,
        "export": ANY_ROLE,
        "export_file": ANY_ROLE,
        "create": "products.add_product",
        "update": "products.change_product",
        "partial_update": "products.change_product",
        "destroy": "products.delete_product",
        "bulk": "products.change_product",
    }

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """A page; that of a search is worked out once for the same products."""
        if not request.query_params.get("search"):
            return super().list(request, *args, **kwargs)
        page = counting.kept_page(
            request.build_absolute_uri(), lambda: super(ProductViewSet, self).list(request).content
        )
        return HttpResponse(page, content_type="application/json")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What the query asks for; a search that finds very much is not ranked."""
        found = super().filter_queryset(queryset)
        ranked = found.query.order_by == search.BEST_FIRST
        return search.affordable(found) if ranked and not self._in_ranked_walk() else found

    def get_count(self, queryset: QuerySet[Any]) -> int:
        """The exact number of products that the filters let through."""
        return counting.count(queryset)

    def created(self, request: Request) -> dict[str, Any]:
        """A new product."""
        fields = validated_values(ProductSerializer, request.data)
        return READER.shown(products.create_and_read(fields, ROWS))

    def perform_update(self, serializer: Any) -> Product:
        """The product with its changes."""
        return products.update_product(serializer.instance, serializer.validated_data)

    def update(self, request: Request, *args: Any, partial: bool = False, **kwargs: Any) -> HttpResponse:
        """The product as it is after the change; what replaces it whatever it was needs no look at it first."""
        if not partial and "HTTP_IF_MATCH" not in request.META:
            # The other way says what is wrong about the values, unless there is no such product at all.
            with suppress(ValidationError):
                fields = validated_values(ProductSerializer, request.data)
                if row := products.replace_product(self._key, fields, ROWS):
                    return answer(request, READER.shown(row))
        return super().update(request, *args, partial=partial, **kwargs)

    def perform_destroy(self, instance: Product) -> None:
        """Delete the product."""
        products.delete_product(instance)

    @extend_schema(
        summary="Create, update and delete many products",
        description="Up to 1,000 of each in one transaction: all of it is done, or nothing. Deletions come first, "
        "then updates, then new products. Errors name their places, such as `/create/3/sku`.",
        request=BulkSerializer,
        responses=BulkResultSerializer,
        examples=[examples.BULK, examples.BULK_RESULT],
    )
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> HttpResponse:
        """Write many products."""
        serializer = BulkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        result = apply_bulk(Bulk(**serializer.validated_data))
        return _json(BulkResultSerializer(result).data)

    @extend_schema(
        operation_id="products_export",
        summary="Export products",
        description="A file of the products that the filters let through, in order of their ids, as "
        "`POST /api/v1/products/import` takes it. More than 100,000 products are written by a job: 202, and the job at "
        "`Location`. To ask for the same again while it is under way answers with the same job.",
        parameters=[FORMAT],
        filters=True,
        responses={
            **{(200, form.media_type): OpenApiTypes.BINARY for form in FORMATS.values()},
            202: JobSerializer,
        },
    )
    @action(
        detail=False,
        methods=["get"],
        pagination_class=None,
        ordering_fields=(),
        renderer_classes=files(*(form.media_type for form in FORMATS.values())),
    )
    def export(self, request: Request) -> HttpResponseBase:
        """The file, streamed; the accepted job where there are very many products."""
        values = request.query_params.dict()
        form = values.pop("format", "csv")
        queryset = exports.chosen(values, pointer="/query")
        exports.check(queryset, form, pointer="/query/format")
        if request.method == "HEAD":
            return download(iter(()), form)
        if not export_jobs.is_too_large(queryset):
            return download(exports.stream(queryset, form), form)
        job = export_jobs.start(values, form, user_id=request.user.pk)
        location = request.build_absolute_uri(f"/api/v1/jobs/{job.pk}")
        return answer(request, JobSerializer(job).data, 202, Location=location)

    @extend_schema(
        operation_id="products_export_file",
        summary="Download an export that a job has written",
        description="The owner's and administrators' only. 409 `file_not_ready` until the job has succeeded, and "
        "`file_expired` a week later.",
        filters=False,
        responses={(200, form.media_type): OpenApiTypes.BINARY for form in FORMATS.values()},
    )
    @action(
        detail=False,
        methods=["get"],
        url_path="export/<uuid:pk>/file",
        filterset_class=FilterSet,
        pagination_class=None,
        ordering_fields=(),
        renderer_classes=files(*(form.media_type for form in FORMATS.values())),
    )
    def export_file(self, request: Request, pk: str) -> HttpResponseBase:
        """The whole file, streamed."""
        job = get_object_or_404(Job.objects.visible_to(request.user), kind=export_jobs.KIND, pk=pk)
        return download(export_jobs.file_of(job), job.parameters["format"])

    @extend_schema(
        summary="Read the history of a product",
        description="Every change, the latest first: when, by whom, in which request, and the fields before and "
        "after. It stays when the product is deleted.",
        responses=HistoryEntrySerializer(many=True),
        filters=False,
        examples=[examples.HISTORY_ENTRY],
    )
    @action(detail=True, methods=["get"], filterset_class=FilterSet, ordering_fields=())
    def history(self, request: Request, pk: int) -> HttpResponse:
        """Who changed what, when, before and after."""
        events = self.filter_queryset(history.events_of(pk))
        page = self.paginator.paginate_queryset(events, request)
        if not page and not Product.objects.filter(pk=pk).exists():
            raise Http404
        return _json(self.paginator.envelope(history.entries(page)))

    def _in_ranked_walk(self) -> bool:
        """Whether the page continues a list that was ranked, and must go on in the same way."""
        cursor = self.request.query_params.get("cursor")
        return cursor is not None and Cursor.decode(cursor).ordering == search.BEST_FIRST


def _json(data: object) -> HttpResponse:
    return HttpResponse(to_json(data), content_type="application/json")
