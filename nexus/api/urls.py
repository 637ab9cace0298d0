"""Addresses of the API kit's own."""

from django.urls import path

from nexus.api.status import StatusView

urlpatterns = [path("status", StatusView.as_view(), name="status")]
