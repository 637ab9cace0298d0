"""Who changed a product, when and how, as the events of the database tell it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from accounts.models import User

ACTIONS = {"insert": "created", "update": "updated", "delete": "deleted"}
FIELDS = (
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


def entries(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events of one product, in a row and the latest first, as entries of its history: two or three statements."""
    if not events:
        return []
    oldest = events[-1]
    before = events_of(oldest.pgh_obj_id).filter(pgh_id__lt=oldest.pgh_id).first()
    users = _users(events)
    return [
        _entry(event, earlier, users) for event, earlier in zip(events, [*events[1:], before], strict=True)
    ]


def _users(events: Sequence[Event]) -> Mapping[int, str]:
    ids = {(event.pgh_context or {}).get("user") for event in events} - {None}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "email")) if ids else {}


def _entry(event: Event, earlier: Event | None, users: Mapping[int, str]) -> dict[str, Any]:
    context = event.pgh_context or {}
    user = context.get("user")
    return {
        "id": event.pgh_id,
        "at": event.pgh_created_at,
        "action": ACTIONS[event.pgh_label],
        "user": None if user is None else {"id": user, "email": users.get(user)},
        "request_id": context.get("request_id"),
        "source": context.get("source"),
        "changes": _changes(event, earlier),
    }


def _changes(event: Event, earlier: Event | None) -> dict[str, dict[str, Any]]:
    before, after = _values(earlier), _values(event)
    if event.pgh_label == "insert":
        before = {}
    elif event.pgh_label == "delete":
        before, after = after, {}
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        for name in FIELDS
        if (before.get(name) or None) != (after.get(name) or None)
    }


def _values(event: Event | None) -> dict[str, Any]:
    return {name: getattr(event, name) for name in FIELDS} if event is not None else {}
