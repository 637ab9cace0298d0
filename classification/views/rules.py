"""The addresses of rules."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from classification.filters import RuleConflictFilterSet, RuleFilterSet
from classification.models import Rule, RuleConflict
from classification.serializers.rules import (
    CheckRulesSerializer,
    PreviewSerializer,
    RuleConflictSerializer,
    RuleSerializer,
    SampleSerializer,
)
from classification.services import engines, rule_checks, rules
from nexus.api.conditional import answer
from nexus.api.filters import FilterSet
from nexus.api.permissions import ANY_ROLE
from nexus.api.renderers import to_json
from nexus.api.views import GenericViewSet, ListMixin, ModelViewSet
from nexus.jobs.serializers import JobSerializer
from products import history
from products.models import Product
from products.serializers import HistoryEntrySerializer

# pghistory makes this model while `classification.models` is read.
RuleEvent: Any = apps.get_model("classification", "RuleEvent")
HISTORY_FIELDS = ("name", "conditions", "category_id", "position", "enabled", "disabled_reason")

NEW_RULE = OpenApiExample(
    "Rule to write",
    value={
        "taxonomy": "nexus-hardware",
        "name": "Combi drills of Makita",
        "conditions": [
            {"field": "manufacturer", "operator": "is", "value": "Makita"},
            {"field": "text", "operator": "contains", "value": "combi drill*"},
            {"field": "attributes.voltage_v", "operator": ">=", "value": 10.8},
        ],
        "category_id": 7,
        "position": 1,
    },
    request_only=True,
)


@extend_schema(tags=["Rules"])
@extend_schema_view(
    list=extend_schema(summary="List rules", description="In the order in which they decide."),
    create=extend_schema(
        summary="Create a rule",
        description="For administrators. It counts from the next answer on. 409 `name_taken` when the taxonomy has a "
        "rule of the name.",
        examples=[NEW_RULE],
    ),
    retrieve=extend_schema(summary="Read a rule", description="With its hits, as far as they were counted."),
    update=extend_schema(summary="Replace a rule", description="For administrators."),
    partial_update=extend_schema(
        summary="Change some fields of a rule",
        description="For administrators. With another condition or category it is another rule: its hits and the "
        "verdicts of reviewers are forgotten.",
    ),
    destroy=extend_schema(
        summary="Delete a rule",
        description="For administrators. Its answers stay, and its history at `/api/v1/rules/{id}/history`.",
    ),
)
class RuleViewSet(ModelViewSet):
    """What people know for certain, before the classifier is asked."""

    queryset = Rule.objects.select_related("taxonomy", "category__taxonomy")
    serializer_class = RuleSerializer
    filterset_class: type[FilterSet] = RuleFilterSet
    ordering_fields: Sequence[str] = ("id", "position", "name")
    permissions = {
        "list": ANY_ROLE,
        "retrieve": ANY_ROLE,
        "history": ANY_ROLE,
        "matches": ANY_ROLE,
        "create": "classification.add_rule",
        "update": "classification.change_rule",
        "partial_update": "classification.change_rule",
        "destroy": "classification.delete_rule",
        "preview": "classification.add_rule",
        "check": rule_checks.PERMISSION,
    }

    def perform_create(self, serializer: Any) -> Rule:
        """A new rule."""
        return rules.create_rule(serializer.validated_data, user_id=self.request.user.pk)

    def perform_update(self, serializer: Any) -> Rule:
        """The rule with its changes."""
        return rules.update_rule(serializer.instance, serializer.validated_data)

    def perform_destroy(self, instance: Rule) -> None:
        """Delete the rule."""
        rules.delete_rule(instance)

    @extend_schema(
        summary="Read the history of a rule",
        description="Every change, the latest first. It stays when the rule is deleted.",
        responses=HistoryEntrySerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filterset_class=FilterSet, ordering_fields=())
    def history(self, request: Request, pk: int) -> HttpResponse:
        """Who changed what, when, before and after."""
        events = self.filter_queryset(RuleEvent.objects.filter(pgh_obj=pk).order_by("-pgh_id"))
        page = self.paginator.paginate_queryset(events, request)
        if not page and not Rule.objects.filter(pk=pk).exists():
            raise Http404
        return _json(self.paginator.envelope(history.entries(page, HISTORY_FIELDS)))

    @extend_schema(
        summary="Show products that a rule hits",
        description="Among the newest 20,000 products. `POST /api/v1/rules/check` counts the whole catalogue.",
        responses=SampleSerializer,
    )
    @action(detail=True, methods=["get"])
    def matches(self, request: Request, pk: int) -> HttpResponse:
        """A sample of the rule's hits."""
        rule: Rule = self.get_object()
        return _json(SampleSerializer(rules.sample(rules.conditions_of(rule.conditions))).data)

    @extend_schema(
        summary="Try conditions before they are saved",
        description="For administrators. Among the newest 20,000 products; nothing is written.",
        request=PreviewSerializer,
        responses={200: SampleSerializer},
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> HttpResponse:
        """A sample of what the conditions would hit."""
        serializer = PreviewSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        conditions = serializer.validated_data["conditions"]
        rules.check_conditions(conditions)
        return _json(SampleSerializer(rules.sample(rules.conditions_of(conditions))).data)

    @extend_schema(
        summary="Count hits and conflicts of all rules",
        description="For administrators. A job over the whole catalogue; rules then show their `hits`, and "
        "`/api/v1/rules/conflicts` which of them contradict each other.",
        request=CheckRulesSerializer,
        responses={202: JobSerializer},
    )
    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> HttpResponse:
        """The accepted job."""
        serializer = CheckRulesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        taxonomy = engines.taxonomy_of(serializer.validated_data.get("taxonomy"))
        job = rule_checks.check_rules(taxonomy, user_id=request.user.pk)
        address = request.build_absolute_uri(f"/api/v1/jobs/{job.pk}")
        return answer(request, JobSerializer(job).data, 202, Location=address)


@extend_schema(tags=["Rules"])
@extend_schema_view(
    list=extend_schema(
        summary="List conflicts between rules",
        description="Rules that hold of the same products and name different categories, as last counted; those about "
        "the most products first. Of rules with different positions the smaller one decides, of rules with the same "
        "none: their products go to review.",
    )
)
class RuleConflictViewSet(ListMixin, GenericViewSet):
    """Which rules contradict each other."""

    queryset = RuleConflict.objects.select_related(
        "taxonomy", "first__category__taxonomy", "second__category__taxonomy"
    )
    serializer_class = RuleConflictSerializer
    filterset_class = RuleConflictFilterSet
    ordering_fields = ("products", "id")
    permissions = {"list": ANY_ROLE}

    def page(self, queryset: QuerySet[Any]) -> Any:
        """A page of conflicts; the products that they show are read in one query."""
        conflicts = self.paginator.paginate_queryset(queryset, self.request, view=self)
        _resolve_examples(conflicts)
        return self.paginator.envelope([self.get_serializer(conflict).data for conflict in conflicts])


def _resolve_examples(conflicts: Sequence[RuleConflict]) -> None:
    """Put products in the place of their ids, in one query for a page."""
    ids = {pk for conflict in conflicts for pk in conflict.examples}
    products = Product.objects.only("id", "sku", "name").in_bulk(ids)
    for conflict in conflicts:
        conflict.examples = [products[pk] for pk in conflict.examples if pk in products]


def _json(data: object) -> HttpResponse:
    return HttpResponse(to_json(data), content_type="application/json")
