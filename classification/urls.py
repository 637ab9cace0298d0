"""Addresses of classification."""

from django.urls import path

from classification.views.answers import (
    ClassifyViewSet,
    ProductClassificationViewSet,
    ReviewViewSet,
)
from classification.views.classifiers import ClassifierViewSet, DifferenceViewSet, PolicyViewSet
from classification.views.mappings import SuggestMappingsView
from classification.views.rules import RuleConflictViewSet, RuleViewSet
from nexus.api.routers import Router

router = Router()
router.register("classify", ClassifyViewSet, basename="classify")
router.register("classifiers", ClassifierViewSet, basename="classifier")
router.register("rules/conflicts", RuleConflictViewSet, basename="rule-conflict")
router.register("rules", RuleViewSet, basename="rule")

urlpatterns = [
    *router.urls,
    path(
        "classifiers/<int:pk>/differences",
        DifferenceViewSet.as_view({"get": "list"}),
        name="classifier-differences",
    ),
    path(
        "taxonomies/<int:pk>/policy",
        PolicyViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}),
        name="taxonomy-policy",
    ),
    path("mappings/suggest", SuggestMappingsView.as_view(), name="mapping-suggest"),
    path("reviews", ReviewViewSet.as_view({"get": "list"}), name="review-list"),
    path(
        "reviews/<int:pk>", ReviewViewSet.as_view({"get": "retrieve", "post": "decide"}), name="review-detail"
    ),
    path(
        "products/<int:pk>/classifications",
        ProductClassificationViewSet.as_view({"get": "list"}),
        name="product-classifications",
    ),
]
