"""Addresses of the API kit's own."""

from django.urls import path
from django.views.generic import RedirectView

from nexus.api.documentation import redoc_script
from nexus.api.status import StatusView

urlpatterns = [
    path("status", StatusView.as_view(), name="status"),
    path("redoc.js", redoc_script, name="redoc-script"),
    # Where browsers look when a page names no icon.
    path("favicon.ico", RedirectView.as_view(url="/static/nexus/favicon.svg"), name="favicon"),
]
