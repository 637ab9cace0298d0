"""Classifiers: their versions, how good they are, which one answers, and by which policy."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from classification import results
from classification.filters import ClassifierFilterSet, DifferenceFilterSet
from classification.models import Classifier, Difference, Policy, ShadowRun
from classification.serializers.classifiers import (
    ClassifierDetailSerializer,
    ClassifierSerializer,
    ComparisonSerializer,
    DifferenceSerializer,
    PolicySerializer,
    ReportSerializer,
    ShadowRunSerializer,
    StartShadowSerializer,
    TrainSerializer,
)
from classification.services import activation, engines, policies, shadow, training, watching
from nexus.api.conditional import answer, check_precondition
from nexus.api.errors import invalid
from nexus.api.permissions import ANY_ROLE
from nexus.api.renderers import to_json
from nexus.api.views import GenericViewSet, ListMixin, UpdateMixin
from products.models import Taxonomy


@extend_schema(tags=["Classifiers"])
@extend_schema_view(
    list=extend_schema(summary="List classifiers", description="Every version with its measured figures."),
)
class ClassifierViewSet(ListMixin, GenericViewSet):
    """Versions of the classifiers of each taxonomy."""

    queryset = Classifier.objects.select_related("taxonomy").without_artefact()
    serializer_class = ClassifierSerializer
    filterset_class = ClassifierFilterSet
    ordering_fields = ("created_at", "version")
    permissions = {
        "list": ANY_ROLE,
        "retrieve": ANY_ROLE,
        "report": ANY_ROLE,
        "compare": ANY_ROLE,
        "shadow_run": ANY_ROLE,
        "create": training.PERMISSION,
        "activate": activation.PERMISSION,
        "step_back": activation.PERMISSION,
        "shadow": shadow.PERMISSION,
    }

    @extend_schema(
        summary="Train a classifier",
        description="From all decisions of reviewers, and all products whose category a person or a supplier chose; "
        "a candidate until activated.",
        request=TrainSerializer,
        responses={202: ClassifierDetailSerializer},
    )
    def create(self, request: Request) -> HttpResponse:
        """The version that is being trained."""
        serializer = TrainSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        taxonomy = engines.taxonomy_of(serializer.validated_data.get("taxonomy"))
        classifier = training.train(taxonomy, user_id=request.user.pk)
        address = request.build_absolute_uri(f"{request.path}/{classifier.pk}")
        return answer(request, self._detail(classifier), 202, Location=address)

    @extend_schema(
        summary="Read a classifier",
        description="With what people have decided about its answers since.",
        responses=ClassifierDetailSerializer,
    )
    def retrieve(self, request: Request, pk: int) -> HttpResponse:
        """One version."""
        return answer(request, self._detail(self._classifier()))

    @extend_schema(
        summary="Read what was measured at its training",
        description="Accuracy by level and category, confusions, calibration, and coverage against precision.",
        responses=ReportSerializer,
    )
    @action(detail=True, methods=["get"])
    def report(self, request: Request, pk: int) -> HttpResponse:
        """The large figures."""
        report = get_object_or_404(Classifier.objects.values_list("report", flat=True), pk=pk)
        return answer(request, results.represent_report(report))

    @extend_schema(summary="Activate a classifier", request=None, responses={200: ClassifierDetailSerializer})
    @action(detail=True, methods=["post"], takes_body=False)
    def activate(self, request: Request, pk: int) -> HttpResponse:
        """The classifier, which answers for its taxonomy from now on."""
        activated = activation.activate(self._classifier(), user_id=request.user.pk)
        return answer(request, self._detail(activated))

    @extend_schema(
        summary="Return to the classifier before",
        description="Takes the activation of this one back: the one that was active before it answers again. Doing it "
        "to that one undoes it. 409 `not_active` when this is not the active one, `nothing_before` when there is none.",
        request=None,
        responses={200: ClassifierDetailSerializer},
    )
    @action(detail=True, methods=["post"], url_path="return", takes_body=False)
    def step_back(self, request: Request, pk: int) -> HttpResponse:
        """The classifier that answers again."""
        before = activation.step_back(self._classifier(), user_id=request.user.pk)
        return answer(request, self._detail(before))

    @extend_schema(
        summary="Compare two classifiers",
        description="On the newest products of the catalogue.",
        parameters=[OpenApiParameter("with", int, required=True, description="The id of the other one.")],
        responses={200: ComparisonSerializer},
    )
    @action(detail=True, methods=["get"])
    def compare(self, request: Request, pk: int) -> HttpResponse:
        """What they say differently."""
        other = request.query_params.get("with", "")
        if not (other.isascii() and other.isdigit() and len(other) < 19):
            raise invalid("/query/with", "invalid", "Give the id of the other classifier.")
        return answer(request, training.compare(self._classifier(), int(other)))

    @extend_schema(
        summary="Run a classifier beside the active one",
        description="Over the newest products, as a job. Nothing is written but the differences.",
        request=StartShadowSerializer,
        responses={202: ShadowRunSerializer},
    )
    @action(detail=True, methods=["post"])
    def shadow(self, request: Request, pk: int) -> HttpResponse:
        """The accepted run."""
        serializer = StartShadowSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        run = shadow.start(self._classifier(), **serializer.validated_data, user_id=request.user.pk)
        return answer(request, ShadowRunSerializer(run).data, 202, Location=request.build_absolute_uri())

    @extend_schema(
        summary="Read the last run beside the active one",
        description="How often the two agreed.",
        responses=ShadowRunSerializer,
    )
    @shadow.mapping.get
    def shadow_run(self, request: Request, pk: int) -> HttpResponse:
        """The counts of the last run."""
        return answer(request, ShadowRunSerializer(last_run(pk)).data)

    def _classifier(self) -> Classifier:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def _detail(self, classifier: Classifier) -> dict[str, Any]:
        return {**self.represent(classifier), "decided": watching.decided_about(classifier.pk)}


def last_run(classifier_id: int) -> ShadowRun:
    """The last run of a classifier beside the active one. Raises Http404."""
    runs = ShadowRun.objects.select_related("job").filter(classifier=classifier_id)
    return get_object_or_404(runs.order_by("-id")[:1])


@extend_schema(tags=["Classifiers"])
class DifferenceViewSet(GenericViewSet):
    """What a classifier says differently than the active one."""

    queryset = Difference.objects.order_by("position")
    serializer_class = DifferenceSerializer
    filterset_class = DifferenceFilterSet
    ordering_fields = ("position",)
    permissions = {"list": ANY_ROLE}

    @extend_schema(
        summary="List the differences of the last run",
        description="Products about which the two say another category, or of which only one is certain.",
    )
    def list(self, request: Request, pk: int) -> HttpResponse:
        """A page of the differences, in the order of the run."""
        queryset = self.filter_queryset(self.get_queryset().filter(run=last_run(pk)))
        rows = self.paginator.paginate_queryset(queryset, request, view=self)
        body = self.paginator.envelope(results.represent_differences(rows))
        return HttpResponse(to_json(body), content_type="application/json")


@extend_schema(tags=["Classifiers"])
@extend_schema_view(
    update=extend_schema(summary="Replace the policy of a taxonomy", description="For administrators."),
    partial_update=extend_schema(
        summary="Change some fields of the policy of a taxonomy", description="For administrators."
    ),
)
class PolicyViewSet(UpdateMixin, GenericViewSet):
    """What is promised of the classifiers of a taxonomy, and when a new one is made and activated."""

    queryset = Policy.objects.all()
    serializer_class = PolicySerializer
    permissions = {
        "retrieve": ANY_ROLE,
        "update": "classification.change_policy",
        "partial_update": "classification.change_policy",
    }

    @extend_schema(
        summary="Read the policy of a taxonomy", description="The defaults, where nobody has changed them."
    )
    def retrieve(self, request: Request, pk: int) -> HttpResponse:
        """The policy of one taxonomy."""
        return answer(request, self.represent(policies.policy_of(self._taxonomy())))

    def locked(self) -> Policy:
        """The policy, made of defaults when there was none, locked when ``If-Match`` allows to change it."""
        policy = policies.locked_policy(self._taxonomy())
        check_precondition(self.request, self.represent(policy))
        return policy

    def perform_update(self, serializer: Any) -> Policy:
        """The policy with its changes."""
        return policies.change(serializer.instance, serializer.validated_data)

    def _taxonomy(self) -> Taxonomy:
        return get_object_or_404(Taxonomy, pk=self.kwargs["pk"])
