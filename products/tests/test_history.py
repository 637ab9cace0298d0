"""GET /api/v1/products/{id}/history"""

from typing import Any

import pghistory
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.models import User
from products.models import Product
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow
from products.tests.conftest import URL, MakeProduct, Tree


def history(client: APIClient, pk: int, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{URL}/{pk}/history{query}")
    assert response.status_code == 200, response.content
    return list(response.json()["results"])


def test_tells_who_changed_what_when_before_and_after(as_editor: APIClient, editor: User, tree: Tree) -> None:
    created = as_editor.post(URL, {"sku": "A", "name": "a"}, headers={"X-Request-ID": "request-1"})
    pk = created.json()["id"]
    as_editor.patch(f"{URL}/{pk}", {"name": "b", "category_id": tree["saws"].pk})
    as_editor.delete(f"{URL}/{pk}")
    deleted, updated, first = history(as_editor, pk)
    assert [entry["action"] for entry in (first, updated, deleted)] == ["created", "updated", "deleted"]
    assert first["user"] == {"id": editor.pk, "email": editor.email}
    assert (first["request_id"], first["source"]) == ("request-1", "api")
    assert first["changes"] == {
        "sku": {"before": None, "after": "A"},
        "name": {"before": None, "after": "a"},
        "status": {"before": None, "after": "draft"},
    }
    assert updated["changes"] == {
        "name": {"before": "a", "after": "b"},
        "category_id": {"before": None, "after": tree["saws"].pk},
        "category_source": {"before": None, "after": "manual"},
    }
    assert deleted["changes"]["name"] == {"before": "b", "after": None}


def test_keeps_bulk_requests_and_plain_statements_too(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(name="a")
    as_editor.post(f"{URL}/bulk", {"update": [{"id": product.pk, "name": "b"}]})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE products_product SET name = 'c'")
    by_hand, bulk, _ = history(as_editor, product.pk)
    assert by_hand["changes"] == {"name": {"before": "b", "after": "c"}}
    assert bulk["source"] == "api"


def test_a_write_that_changes_nothing_leaves_no_trace(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    as_editor.put(f"{URL}/{product.pk}", as_editor.get(f"{URL}/{product.pk}").json())
    assert len(history(as_editor, product.pk)) == 1


def test_is_paged_with_the_right_values_at_the_border(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(name="0")
    for number in range(1, 5):
        Product.objects.update(name=str(number))
    page = as_editor.get(f"{URL}/{product.pk}/history?page_size=2").json()
    assert page["count"] == 5
    assert page["results"][-1]["changes"] == {"name": {"before": "2", "after": "3"}}
    assert as_editor.get(page["next"]).json()["results"][0]["changes"] == {
        "name": {"before": "1", "after": "2"}
    }


def test_a_product_that_never_was_has_none(as_viewer: APIClient) -> None:
    assert as_viewer.get(f"{URL}/999/history").status_code == 404


def test_unknown_parameters_are_refused(as_viewer: APIClient, make_product: MakeProduct) -> None:
    assert as_viewer.get(f"{URL}/{make_product().pk}/history?status=draft").status_code == 400


def test_a_change_that_is_rolled_back_never_was(as_viewer: APIClient, make_product: MakeProduct) -> None:
    product = make_product()
    with transaction.atomic():
        Product.objects.update(name="other")
        transaction.set_rollback(True)
    assert len(history(as_viewer, product.pk)) == 1


def test_the_context_is_kept_in_the_event_and_in_no_table(make_product: MakeProduct) -> None:
    with pghistory.context(source="test", user=7):
        product: Any = make_product()
    assert product.events.get().pgh_context == {"source": "test", "user": 7}
    by_nobody: Any = make_product()
    assert (by_nobody.events.get().pgh_context, by_nobody.events.get().pgh_context_id) == (None, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pghistory_context")
        assert cursor.fetchone() == (0,)


def test_categories_have_a_history_without_what_follows_from_their_parents(tree: Tree) -> None:
    load_taxonomy("shop", "1", "Shop", [CategoryRow("tools", "Power tools")])
    categories: Any = tree
    assert [event.pgh_label for event in categories["tools"].events.order_by("pgh_id")] == [
        "insert",
        "update",
    ]
    assert [event.pgh_label for event in categories["saws"].events.all()] == ["insert"]
