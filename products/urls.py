"""The addresses of products and taxonomies, below ``/api/v1/``."""

from django.urls import path

from nexus.api.routers import Router
from products.views.mappings import CategoryMappingViewSet, VersionViewSet
from products.views.products import ProductViewSet
from products.views.taxonomies import CategoryViewSet, TaxonomyViewSet

router = Router()
router.register("products", ProductViewSet, basename="product")
router.register("taxonomies", TaxonomyViewSet, basename="taxonomy")
router.register("categories", CategoryViewSet, basename="category")
router.register("mappings", CategoryMappingViewSet, basename="mapping")

urlpatterns = [
    *router.urls,
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
