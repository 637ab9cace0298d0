"""The addresses of products and taxonomies, below ``/api/v1/``."""

from django.urls import path

from nexus.api.routers import Router
from products.views.imports import (
    ImportFaultViewSet,
    ImportProfileViewSet,
    ImportViewSet,
    download_changes,
    download_failed_rows,
)
from products.views.mappings import CategoryMappingViewSet, VersionViewSet
from products.views.products import ProductViewSet
from products.views.taxonomies import CategoryViewSet, TaxonomyViewSet

router = Router()
router.register("products", ProductViewSet, basename="product")
router.register("taxonomies", TaxonomyViewSet, basename="taxonomy")
router.register("categories", CategoryViewSet, basename="category")
router.register("mappings", CategoryMappingViewSet, basename="mapping")

router.register("import-profiles", ImportProfileViewSet, basename="import-profile")

urlpatterns = [
    *router.urls,
    path("products/import", ImportViewSet.as_view({"post": "create"}), name="product-import"),
    path(
        "products/import/preview", ImportViewSet.as_view({"post": "preview"}), name="product-import-preview"
    ),
    path("products/import/<uuid:pk>", ImportViewSet.as_view({"get": "retrieve"}), name="product-import-job"),
    path(
        "products/import/<uuid:pk>/errors",
        ImportFaultViewSet.as_view({"get": "list"}),
        name="product-import-errors",
    ),
    path("products/import/<uuid:pk>/failed-rows", download_failed_rows, name="product-import-failed-rows"),
    path("products/import/<uuid:pk>/changes", download_changes, name="product-import-changes"),
    path("taxonomies/<int:pk>/changes", VersionViewSet.as_view({"get": "changes"}), name="taxonomy-changes"),
    path(
        "taxonomies/<int:pk>/carry-over",
        VersionViewSet.as_view({"get": "preview", "post": "carry_over"}),
        name="taxonomy-carry-over",
    ),
    path(
        "taxonomies/<int:pk>/carry-back",
        VersionViewSet.as_view({"post": "carry_back"}),
        name="taxonomy-carry-back",
    ),
]
