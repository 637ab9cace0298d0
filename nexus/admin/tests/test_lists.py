"""Lists of pages for staff whose tables may have millions of rows."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory

from accounts.models import User
from classification.models import Classification
from nexus.api.admin import LargeTableAdmin
from products.models import Product

pytestmark = pytest.mark.django_db


def sortable(page: Any) -> list[str]:
    return list(page.get_sortable_by(RequestFactory().get("/")))


def test_a_click_on_the_head_of_a_column_never_sorts_a_whole_table() -> None:
    with connection.cursor() as cursor:
        # Tables of tests are so small that PostgreSQL would rather sort them.
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
        )
    pages = [page for page in admin.site._registry.values() if isinstance(page, LargeTableAdmin)]
    for page in pages:
        for name in () if page.stays_small else sortable(page):
            rows: Any = page.model._default_manager.order_by(name, "-pk")[:50]
            plan = rows.explain(format="json")
            assert '"Node Type": "Sort"' not in plan, (page.model, name)


def test_products_are_sorted_by_what_has_an_index_and_answers_by_nothing_else_than_their_age() -> None:
    assert sortable(admin.site._registry[Product]) == ["sku", "name", "updated_at"]
    assert sortable(admin.site._registry[Classification]) == ["id"]


def test_an_address_sorts_by_no_other_column_either(administrator: User) -> None:
    page = admin.site._registry[Product]

    def sorted_by(**query: str) -> Any:
        request = RequestFactory().get("/", query)
        request.user = administrator
        return page.get_changelist_instance(request).queryset.query.order_by

    shown = list(page.list_display)
    unsorted = next(place for place, name in enumerate(shown, start=1) if name not in sortable(page))
    assert set(sorted_by(o=str(unsorted))) == {"-id"}
    assert sorted_by(o=str(shown.index("sku") + 1))[0] == "sku"
