"""Who changed something, when and how, as the events of the database tell it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from accounts.models import User
from products.services.products import is_same

ACTIONS = {"insert": "created", "update": "updated", "delete": "deleted"}
PRODUCT_FIELDS = (
    "sku",
    "name",
    "description",
    "manufacturer",
    "part_number",
    "gtin",
    "attributes",
    "status",
    "category_id",
    "category_source",
)
Event = Any
# pghistory makes this model while `products.models` is read.
ProductEvent: Any = apps.get_model("products", "ProductEvent")


def events_of(product_id: int) -> QuerySet[Any]:
    """The events of a product, the latest first; also of one that is deleted."""
    return ProductEvent.objects.filter(pgh_obj=product_id).order_by("-pgh_id")


def entries(events: Sequence[Event], fields: Sequence[str] = PRODUCT_FIELDS) -> list[dict[str, Any]]:
    """Events of one thing, in a row and the latest first, as entries of its history: two or three statements.

    `fields` are those of which changes are told.
    """
    if not events:
        return []
    oldest = events[-1]
    earlier_events = type(oldest).objects.filter(pgh_obj=oldest.pgh_obj_id, pgh_id__lt=oldest.pgh_id)
    users = _users(events)
    befores = [*events[1:], earlier_events.order_by("-pgh_id").first()]
    return [
        _entry(event, users, _changes(event, before, fields))
        for event, before in zip(events, befores, strict=True)
    ]


def _users(events: Sequence[Event]) -> Mapping[int, str]:
    ids = {(event.pgh_context or {}).get("user") for event in events} - {None}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "email")) if ids else {}


def _entry(event: Event, users: Mapping[int, str], changes: Mapping[str, Any]) -> dict[str, Any]:
    context = event.pgh_context or {}
    user = context.get("user")
    return {
        "id": event.pgh_id,
        "at": event.pgh_created_at,
        "action": ACTIONS[event.pgh_label],
        "user": None if user is None else {"id": user, "email": users.get(user)},
        "request_id": context.get("request_id"),
        "source": context.get("source"),
        "changes": changes,
    }


def _changes(event: Event, earlier: Event | None, fields: Sequence[str]) -> dict[str, dict[str, Any]]:
    before, after = _values(earlier, fields), _values(event, fields)
    if event.pgh_label == "insert":
        before = {}
    elif event.pgh_label == "delete":
        before, after = after, {}
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        for name in fields
        if not is_same(before.get(name) or None, after.get(name) or None)
    }


def _values(event: Event | None, fields: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(event, name) for name in fields} if event is not None else {}
