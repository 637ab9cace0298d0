"""The addresses of products and taxonomies, below ``/api/v1/``."""

from nexus.api.routers import Router
from products.views.products import ProductViewSet
from products.views.taxonomies import CategoryViewSet, TaxonomyViewSet

router = Router()
router.register("products", ProductViewSet, basename="product")
router.register("taxonomies", TaxonomyViewSet, basename="taxonomy")
router.register("categories", CategoryViewSet, basename="category")

urlpatterns = router.urls
