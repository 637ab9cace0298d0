"""Addresses of jobs."""

from nexus.api.routers import Router
from nexus.jobs.views import JobViewSet

router = Router()
router.register("jobs", JobViewSet, basename="job")
urlpatterns = router.urls
