"""The staff site."""

from functools import wraps
from typing import Any

import pghistory
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest
from django.urls import reverse_lazy

from accounts.forms import LoginForm, OwnPasswordForm
from nexus.ops.context import bind, current_request_id


class NexusAdminSite(admin.AdminSite):
    """The admin site of Nexus."""

    site_header = site_title = "Nexus"
    index_title = "Catalogue"
    site_url = "/docs"
    login_form = LoginForm

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A page of the site; log lines and what it writes name the member of staff, the history the request too."""

        @wraps(view)
        def kept_in_history(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            bind(user=request.user.pk)
            with pghistory.context(source="admin", user=request.user.pk, request_id=current_request_id()):
                return view(request, *args, **kwargs)

        return super().admin_view(kept_in_history, cacheable)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The first page, with the alarms that are raised at its head."""
        # Registered models are loaded by now; when this module is, they are not.
        from classification.admin.classifiers import tell_alarms

        tell_alarms(request)
        return super().index(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The page to change one's own password; Django's, but for the form, which ends the user's sessions."""
        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse_lazy("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)
