"""Every address of Nexus. No address ends in a slash; `RequestMiddleware` takes one off."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

urlpatterns = [
    # Each is tried in turn: what is asked for most comes first.
    path("api/v1/", include("products.urls")),
    path("api/v1/", include("classification.urls")),
    path("api/v1/", include("nexus.jobs.urls")),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("workflows.urls")),
    path("auth/", include("accounts.auth_urls")),
    path("", include("nexus.ops.urls")),
    path("", include("nexus.api.urls")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="openapi", metadata_class=None), name="docs"),
    path(
        "redoc",
        SpectacularRedocView.as_view(
            url_name="openapi", metadata_class=None, template_name="nexus/redoc.html"
        ),
        name="redoc",
    ),
]

handler400 = "nexus.api.errors.bad_request"
handler403 = "nexus.api.errors.permission_denied"
handler404 = "nexus.api.errors.page_not_found"
handler500 = "nexus.api.errors.server_error"
