"""Addresses of jobs."""

from django.urls import path

from nexus.api.routers import Router
from nexus.jobs.views import ChunkViewSet, FileViewSet, JobViewSet, LogLineViewSet, download_file

router = Router()
router.register("jobs", JobViewSet, basename="job")
urlpatterns = [
    *router.urls,
    path("jobs/<uuid:pk>/chunks", ChunkViewSet.as_view({"get": "list"}), name="job-chunks"),
    path("jobs/<uuid:pk>/log", LogLineViewSet.as_view({"get": "list"}), name="job-log"),
    path("jobs/<uuid:pk>/files", FileViewSet.as_view({"get": "list"}), name="job-files"),
    path("jobs/<uuid:pk>/files/<str:name>", download_file, name="job-file"),
]
