"""The staff pages of products, categories and taxonomies"""

from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import JSONField, Value
from django.db.transaction import atomic
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from products.models import Category, Product
from products.services.loading import faults
from products.tests.conftest import MakeProduct, Tree

# Statements a page, whatever it shows; two of them are the session and the user.
BUDGETS = {
    "/admin/products/product/": 8,
    "/admin/products/product/?q=hammer": 14,
    "/admin/products/product/?category__isempty=1&status__exact=draft": 8,
    "/admin/products/product/{product}/change/": 9,
    "/admin/products/product/export/": 3,
    "/admin/products/category/": 8,
    "/admin/products/category/?q=saws": 8,
    "/admin/products/category/{category}/change/": 8,
    "/admin/products/taxonomy/": 7,
    "/admin/products/productevent/": 7,
    "/admin/products/productevent/?q={product}": 7,
    "/admin/products/categoryevent/": 7,
    "/admin/autocomplete/?app_label=products&model_name=product&field_name=category&term=saw": 7,
}
FORM = {
    "sku": "A",
    "name": "Hammer",
    "manufacturer": "",
    "part_number": "",
    "gtin": "",
    "description": "",
    "attributes": "{}",
    "status": "draft",
    "category": "",
}


@pytest.fixture
def staff(administrator: User, client: Client) -> Client:
    client.force_login(administrator)
    return client


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("url", BUDGETS)
def test_pages_keep_their_budget_of_statements(
    staff: Client, make_product: MakeProduct, tree: Tree, url: str
) -> None:
    for category in [*tree.values()] * 4:
        product = make_product(category, name="Hammer")
    url = url.format(product=product.pk, category=tree["saws"].pk)
    staff.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert staff.get(url).status_code == 200
    template = url.replace(str(product.pk), "{product}") if "event" in url or "/product/" in url else url
    template = template.replace(f"/{tree['saws'].pk}/", "/{category}/")
    assert len(queries) <= BUDGETS[template], [query["sql"][:100] for query in queries]


def test_a_product_is_made_and_changed_as_through_the_api(
    staff: Client, tree: Tree, administrator: User
) -> None:
    staff.post("/admin/products/product/add/", {**FORM, "category": tree["saws"].pk})
    product: Any = Product.objects.get()
    assert (product.category, product.category_source) == (tree["saws"], "manual")
    url = f"/admin/products/product/{product.pk}/change/"
    staff.post(url, {**FORM, "name": "Saw", "category": tree["saws"].pk})
    page = staff.get(url).content.decode()
    assert "name: Hammer → Saw" in page
    assert administrator.email in page
    event = product.events.latest("pgh_id")
    assert event.pgh_context["source"] == "admin"
    assert event.pgh_context["user"] == administrator.pk


@pytest.mark.parametrize("given", ["", "null", "{}"])
def test_a_product_without_attributes_has_none(staff: Client, given: str) -> None:
    staff.post("/admin/products/product/add/", {**FORM, "attributes": given})
    assert Product.objects.get().attributes == {}


@pytest.mark.parametrize("given", ["[]", '""', "0", '{"a": []}'])
def test_attributes_of_any_other_form_are_refused(staff: Client, given: str) -> None:
    response = staff.post("/admin/products/product/add/", {**FORM, "attributes": given})
    assert "Attribute" in response.context["errors"].as_text()
    assert not Product.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("attributes", [None, [], "", 0])
def test_the_database_keeps_no_attributes_that_are_no_object(attributes: Any) -> None:
    kept = Product(sku="A", name="x", attributes=Value(attributes, JSONField()))
    with pytest.raises(IntegrityError, match="products_product_attributes_is_an_object"), atomic():
        kept.save()


def test_a_sku_that_is_taken_is_said_in_the_form(staff: Client, make_product: MakeProduct) -> None:
    make_product(sku="A")
    response = staff.post("/admin/products/product/add/", FORM)
    assert "already exists" in response.content.decode()


def test_search_puts_the_best_first(staff: Client, make_product: MakeProduct) -> None:
    make_product(name="Set with hammer", sku="B")
    make_product(name="Hammer", sku="HAMMER")
    make_product(name="Saw", sku="C")
    page = staff.get("/admin/products/product/?q=hammer")
    assert [product.sku for product in page.context["cl"].result_list] == ["HAMMER", "B"]


def test_the_status_of_many_is_set_at_once(staff: Client, make_product: MakeProduct) -> None:
    ids = [make_product().pk for _ in range(3)]
    body = {"action": "archive", "_selected_action": ids}
    response = staff.post("/admin/products/product/", body, follow=True)
    assert messages(response) == ["3 products changed."]
    assert set(Product.objects.values_list("status", flat=True)) == {"archived"}


def test_products_are_deleted(staff: Client, make_product: MakeProduct) -> None:
    product, other = make_product(), make_product()
    staff.post(f"/admin/products/product/{product.pk}/delete/", {"post": "yes"})
    body = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    staff.post("/admin/products/product/", body)
    assert not Product.objects.exists()


@pytest.mark.parametrize("action", ["archive", "delete_selected"])
def test_no_action_is_done_with_more_products_than_one_request_can_take(staff: Client, action: str) -> None:
    Product.objects.bulk_create(Product(sku=f"{number}", name="x") for number in range(1001))
    body = {
        "action": action,
        "_selected_action": [Product.objects.earliest("pk").pk],
        "select_across": "1",
        "post": "yes",
    }
    response = staff.post("/admin/products/product/", body, follow=True)
    assert messages(response) == ["Choose at most 1000 at a time."]
    assert Product.objects.filter(status="draft").count() == 1001


def test_a_list_cannot_be_filtered_by_a_null_character(staff: Client) -> None:
    response = staff.get("/admin/products/product/", {"status__exact": "\x00"})
    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


def test_a_category_is_moved_with_what_lies_below_it(staff: Client, tree: Tree) -> None:
    drills = tree["drills"]
    body = {
        "parent": tree["safety"].pk,
        "code": "drills",
        "name": "Drills",
        "description": "",
        "keywords": "a\r\nb",
    }
    staff.post(f"/admin/products/category/{drills.pk}/change/", body)
    assert Category.objects.get(code="hammer-drills").path == "Safety > Drills > Hammer drills"
    assert Category.objects.get(code="drills").keywords == ["a", "b"]
    assert faults(drills.taxonomy) == []


def test_a_category_is_named_by_its_new_path(staff: Client, tree: Tree) -> None:
    saws = tree["saws"]
    body = {"taxonomy": saws.taxonomy_id, "parent": saws.pk, "code": "jigsaws", "name": "Jigsaws"}
    response = staff.post("/admin/products/category/add/", body, follow=True)
    assert "Tools &gt; Saws &gt; Jigsaws" in messages(response)[0]
    category = Category.objects.get(code="jigsaws")
    response = staff.post(
        f"/admin/products/category/{category.pk}/change/", body | {"name": "Fretsaws"}, follow=True
    )
    assert "Tools &gt; Saws &gt; Fretsaws" in messages(response)[0]


def test_what_a_service_refuses_is_said_and_not_done(
    staff: Client, tree: Tree, make_product: MakeProduct
) -> None:
    make_product(tree["saws"])
    saws, tools = (f"/admin/products/category/{tree[code].pk}/" for code in ("saws", "tools"))
    response = staff.post(f"{saws}delete/", {"post": "yes"}, follow=True)
    assert messages(response) == ["Products are still in this category."]
    body = {"parent": tree["drills"].pk, "code": "tools", "name": "Tools"}
    response = staff.post(f"{tools}change/", body, follow=True)
    assert messages(response) == ["A category cannot be moved to itself or below itself."]
    taxonomy = tree["saws"].taxonomy_id
    response = staff.post(f"/admin/products/taxonomy/{taxonomy}/delete/", {"post": "yes"}, follow=True)
    assert messages(response) == ["Products are still classified by this taxonomy."]


def test_history_is_only_read(staff: Client, make_product: MakeProduct) -> None:
    product: Any = make_product()
    event = product.events.get()
    url = f"/admin/products/productevent/{event.pgh_id}/"
    assert staff.get(f"{url}change/").status_code == 200
    assert staff.post(f"{url}change/", {"name": "x"}).status_code == 403
    assert staff.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert staff.get("/admin/products/productevent/add/").status_code == 403


@pytest.mark.parametrize("query", ["x", "99999999999999999999"])
def test_a_search_of_history_takes_anything(staff: Client, query: str) -> None:
    assert staff.get("/admin/products/productevent/", {"q": query}).status_code == 200
