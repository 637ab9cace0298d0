"""The page on which a classifier is activated: what answers now, what would, and the button."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from classification import figures
from classification.models import Classifier
from classification.services import activation
from nexus.api.admin import LargeTableAdmin, explained

ACTIVE = Classifier.Status.ACTIVE


class ActivationMixin(LargeTableAdmin):
    """Adds the page to those of classifiers, and the way to it to each that can be activated."""

    def get_urls(self) -> list[Any]:
        """The page before those of single rows."""
        view = self.admin_site.admin_view(self.activate_page)
        return [
            path("<int:pk>/activate/", view, name="classification_classifier_activate"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of a classifier, with a link to its activation for whoever may activate it."""
        obj = kwargs.get("obj")
        can_be = obj is not None and ACTIVE in Classifier.TRANSITIONS[Classifier.Status(obj.status)]
        context["may_activate"] = can_be and self.has_change_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def activate_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The question, and after it the activation; where that is refused, the question again with the reason."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        classifiers = Classifier.objects.without_artefact().select_related("taxonomy")
        classifier = get_object_or_404(classifiers, pk=pk)
        return explained(self, request, lambda: self._activate(request, classifier))

    def _activate(self, request: HttpRequest, classifier: Classifier) -> HttpResponse:
        if request.method == "POST":
            activation.activate(classifier, user_id=request.user.pk)
            self.message_user(
                request, f"{classifier.taxonomy} is answered by version {classifier.version} now."
            )
            return HttpResponseRedirect(
                reverse("admin:classification_classifier_change", args=[classifier.pk])
            )
        taxonomy = classifier.taxonomy_id
        active = Classifier.objects.without_artefact().filter(taxonomy=taxonomy, status=ACTIVE).first()
        context = {
            **self.admin_site.each_context(request),
            "title": "Activate a classifier",
            "opts": self.opts,
            "classifier": classifier,
            "active": active,
            "figures": figures.overviews(
                {f"version {one.version}": one.metrics for one in (active, classifier) if one}
            ),
        }
        template = "admin/classification/classifier/activate.html"
        return TemplateResponse(request, template, context)
