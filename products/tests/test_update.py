"""PUT, PATCH and DELETE /api/v1/products/{id}"""

import json

import pytest
from rest_framework.test import APIClient

from products.models import Product
from products.tests.conftest import URL, MakeProduct, Tree, places


def test_put_gives_absent_fields_their_defaults(
    as_editor: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    product = make_product(tree["saws"], manufacturer="Bosch", status="active", attributes={"a": 1})
    shown = as_editor.put(f"{URL}/{product.pk}", {"sku": "NEW", "name": "Other"}).json()
    assert (shown["sku"], shown["name"], shown["manufacturer"], shown["status"]) == (
        "NEW",
        "Other",
        "",
        "draft",
    )
    assert shown["attributes"] == {}
    assert shown["category"] is None


def test_put_needs_what_a_new_product_needs(as_editor: APIClient, make_product: MakeProduct) -> None:
    response = as_editor.put(f"{URL}/{make_product().pk}", {"name": "Other"})
    assert places(response) == {"/sku": "required"}


def test_a_product_may_be_sent_back_as_it_was_read(
    as_editor: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    url = f"{URL}/{make_product(tree['saws'], status='active').pk}"
    Product.objects.update(category_source="automatic")
    read = as_editor.get(url)
    written = as_editor.put(url, read.json())
    assert written.content == read.content
    assert written.headers["ETag"] == read.headers["ETag"]


def test_patch_changes_what_is_given_and_nothing_else(
    as_editor: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    product = make_product(tree["saws"], manufacturer="Bosch")
    before = as_editor.get(f"{URL}/{product.pk}").json()
    after = as_editor.patch(f"{URL}/{product.pk}", {"status": "active"}).json()
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == {**before, "status": "active"}


@pytest.mark.parametrize("source", ["automatic", "imported", "reviewed"])
def test_a_category_that_a_user_changes_counts_as_theirs(
    as_editor: APIClient, make_product: MakeProduct, tree: Tree, source: str
) -> None:
    product = make_product(tree["saws"])
    Product.objects.update(category_source=source)
    same = as_editor.patch(f"{URL}/{product.pk}", {"category_id": tree["saws"].pk}).json()
    assert same["category_source"] == source
    other = as_editor.patch(f"{URL}/{product.pk}", {"category_id": tree["drills"].pk}).json()
    assert (other["category"]["code"], other["category_source"]) == ("drills", "manual")
    none = as_editor.patch(f"{URL}/{product.pk}", {"category": None}).json()
    assert (none["category"], none["category_source"]) == (None, None)


@pytest.mark.parametrize("source", ["automatic", "imported", "reviewed"])
def test_who_chose_a_category_is_known_as_long_as_a_replacement_leaves_it(
    as_editor: APIClient, make_product: MakeProduct, tree: Tree, source: str
) -> None:
    url = f"{URL}/{make_product(tree['saws'], sku='A').pk}"
    Product.objects.update(category_source=source)
    seen = []
    for number, category in enumerate(("saws", "drills", "drills", None)):
        body = {"sku": "A", "name": f"{number}", "category_id": category and tree[category].pk}
        shown = as_editor.put(url, body).json()
        seen.append((shown["category"] and shown["category"]["code"], shown["category_source"]))
    assert seen == [("saws", source), ("drills", "manual"), ("drills", "manual"), (None, None)]


def test_a_replacement_is_answered_as_it_is_read(
    as_editor: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    url = f"{URL}/{make_product().pk}"
    body = {"sku": "A", "name": "x", "attributes": {"long": 1.0, "b": -0.0, "a": "\u00e9"}}
    written = as_editor.put(url, {**body, "category_id": tree["saws"].pk})
    read = as_editor.get(url)
    assert (written.content, written.headers["ETag"]) == (read.content, read.headers["ETag"])


def test_a_change_that_changes_nothing_leaves_the_entity_tag(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    url = f"{URL}/{product.pk}"
    before = as_editor.get(url).headers["ETag"]
    assert as_editor.patch(url, {"name": product.name}).headers["ETag"] == before
    assert as_editor.put(url, {"sku": product.sku, "name": product.name}).headers["ETag"] == before
    assert [event.pgh_label for event in product.events.all()] == ["insert"]  # type: ignore[attr-defined]


def test_an_attribute_that_turns_from_one_into_true_is_a_change(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(attributes={"plugs": 1})
    shown = as_editor.patch(f"{URL}/{product.pk}", {"attributes": {"plugs": True}}).json()
    assert shown["attributes"] == {"plugs": True}
    product.refresh_from_db()
    assert product.attributes["plugs"] is True
    body = {"sku": product.sku, "name": product.name, "attributes": {"plugs": 1.0}}
    assert type(as_editor.put(f"{URL}/{product.pk}", body).json()["attributes"]["plugs"]) is float
    changes = [
        entry["changes"] for entry in as_editor.get(f"{URL}/{product.pk}/history").json()["results"][:2]
    ]
    assert [json.dumps(change) for change in changes] == [
        '{"attributes": {"before": {"plugs": true}, "after": {"plugs": 1.0}}}',
        '{"attributes": {"before": {"plugs": 1}, "after": {"plugs": true}}}',
    ]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("conditional", [False, True])
def test_one_point_zero_is_one_and_no_change(
    as_editor: APIClient, make_product: MakeProduct, method: str, conditional: bool
) -> None:
    product = make_product(attributes={"plugs": 1})
    url = f"{URL}/{product.pk}"
    before = as_editor.get(url)
    body = {"sku": product.sku, "name": product.name, "attributes": {"plugs": 1.0}}
    headers = {"If-Match": before.headers["ETag"]} if conditional else {}
    written = getattr(as_editor, method)(url, body, headers=headers)
    assert (written.status_code, written.content) == (200, before.content)
    assert written.headers["ETag"] == before.headers["ETag"] == as_editor.get(url).headers["ETag"]
    assert as_editor.get(f"{url}/history").json()["count"] == 1


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
def test_a_product_that_is_not_there_is_not_found_whatever_is_sent(
    as_editor: APIClient, make_product: MakeProduct, headers: dict[str, str]
) -> None:
    for body in ({"sku": "A", "name": "x"}, {"name": ""}, {"nothing": 1}, {"sku": "A", "category_id": 99999}):
        answer = as_editor.put(f"{URL}/99999", body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert as_editor.put(f"{URL}/{make_product().pk}", {"name": ""}, headers=headers).status_code == 400


def test_a_sku_of_another_product_is_a_conflict(as_editor: APIClient, make_product: MakeProduct) -> None:
    make_product(sku="A")
    response = as_editor.patch(f"{URL}/{make_product(sku='B').pk}", {"sku": "A"})
    assert (response.status_code, response.json()["code"]) == (409, "sku_taken")


def test_the_category_as_shown_must_have_an_id(as_editor: APIClient, make_product: MakeProduct) -> None:
    response = as_editor.patch(f"{URL}/{make_product().pk}", {"category": "saws"})
    assert places(response) == {"/category": "read_only"}


def test_a_deleted_product_is_gone(as_editor: APIClient, make_product: MakeProduct) -> None:
    url = f"{URL}/{make_product().pk}"
    assert as_editor.delete(url).status_code == 204
    assert as_editor.get(url).status_code == 404
    assert as_editor.delete(url).status_code == 404


@pytest.mark.parametrize("pk", ["0", "99999999999999999999999", "abc", "-1", "1.5", "%00"])
def test_an_id_that_cannot_be_is_not_found(as_editor: APIClient, pk: str) -> None:
    for method in (as_editor.get, as_editor.delete):
        assert method(f"{URL}/{pk}").status_code == 404
    assert as_editor.patch(f"{URL}/{pk}", {"name": "x"}).status_code == 404


def test_a_viewer_reads_and_does_not_write(as_viewer: APIClient, make_product: MakeProduct) -> None:
    url = f"{URL}/{make_product().pk}"
    assert as_viewer.get(url).status_code == 200
    assert as_viewer.put(url, {"sku": "A", "name": "B"}).status_code == 403
    assert as_viewer.patch(url, {"name": "B"}).status_code == 403
    assert as_viewer.delete(url).status_code == 403
    assert as_viewer.post(f"{URL}/bulk", {"create": []}).status_code == 403
