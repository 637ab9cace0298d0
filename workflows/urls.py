"""Addresses of workflows and executions."""

from django.urls import path

from nexus.api.routers import Router
from workflows.views import (
    ExecutionViewSet,
    WorkflowExecutionViewSet,
    WorkflowVersionViewSet,
    WorkflowViewSet,
)

router = Router()
router.register("workflows", WorkflowViewSet, basename="workflow")
router.register("executions", ExecutionViewSet, basename="execution")
urlpatterns = [
    *router.urls,
    path(
        "workflows/<int:workflow_id>/executions",
        WorkflowExecutionViewSet.as_view({"get": "list", "post": "create"}),
        name="workflow-executions",
    ),
    path(
        "workflows/<int:workflow_id>/versions",
        WorkflowVersionViewSet.as_view({"get": "list"}),
        name="workflow-versions",
    ),
]
