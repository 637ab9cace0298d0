"""Addresses of classification."""

from django.urls import path

from classification.rule_views import RuleConflictViewSet, RuleViewSet
from classification.views import (
    ClassifierViewSet,
    ClassifyViewSet,
    ProductClassificationViewSet,
    ReviewViewSet,
)
from nexus.api.routers import Router

router = Router()
router.register("classify", ClassifyViewSet, basename="classify")
router.register("classifiers", ClassifierViewSet, basename="classifier")
router.register("rules/conflicts", RuleConflictViewSet, basename="rule-conflict")
router.register("rules", RuleViewSet, basename="rule")

urlpatterns = [
    *router.urls,
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
