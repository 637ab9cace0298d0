"""/api/v1/categories"""

from typing import Any

import pytest
from rest_framework.test import APIClient

from products.models import Category, Taxonomy
from products.services.loading import faults, load_taxonomy
from products.taxonomy_files.reading import CategoryRow
from products.tests.conftest import MakeProduct, Tree, names, places

URL = "/api/v1/categories"


@pytest.fixture(autouse=True)
def _stays_sound(taxonomy: Taxonomy) -> Any:
    """Whatever a test does to the tree, it is sound afterwards."""
    yield
    assert faults(taxonomy) == []


def test_a_category_is_shown_with_its_place(as_viewer: APIClient, tree: Tree) -> None:
    category = tree["hammer-drills"]
    assert as_viewer.get(f"{URL}/{category.pk}").json() == {
        "id": category.pk,
        "taxonomy": "shop",
        "parent": tree["drills"].pk,
        "code": "hammer-drills",
        "name": "Hammer drills",
        "path": "Tools > Drills > Hammer drills",
        "level": 3,
        "is_leaf": True,
        "keywords": ["combi drill", "percussion drill"],
        "description": "",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Safety", "Tools", "Drills", "Hammer drills", "Saws"]),
        ("taxonomy=shop&level=1", ["Safety", "Tools"]),
        ("is_leaf=true", ["Safety", "Hammer drills", "Saws"]),
        ("parent={tools}", ["Drills", "Saws"]),
        ("search=percussion", ["Hammer drills"]),
        ("search=tools drills", ["Drills", "Hammer drills"]),
        ("search=SAWS", ["Saws"]),
        ("ordering=id&level=1", ["Tools", "Safety"]),
    ],
)
def test_filters(as_viewer: APIClient, tree: Tree, query: str, found: list[str]) -> None:
    load_taxonomy("other", "1", "Other", [])
    assert names(as_viewer.get(f"{URL}?{query.format(tools=tree['tools'].pk)}")) == found


def test_a_new_category_finds_its_place(as_administrator: APIClient, tree: Tree, taxonomy: Taxonomy) -> None:
    revision = Taxonomy.objects.get().revision
    body = {
        "taxonomy": "shop",
        "parent": tree["saws"].pk,
        "code": "jigsaws",
        "name": "Jigsaws",
        "keywords": ["jig"],
    }
    response = as_administrator.post(URL, body)
    assert response.status_code == 201
    shown = response.json()
    assert (shown["path"], shown["level"], shown["is_leaf"]) == ("Tools > Saws > Jigsaws", 3, True)
    assert as_administrator.get(response.headers["Location"]).content == response.content
    assert not Category.objects.get(code="saws").is_leaf
    assert Taxonomy.objects.get().revision == revision + 1


def test_a_code_that_is_taken_is_a_conflict(as_administrator: APIClient, tree: Tree) -> None:
    response = as_administrator.post(URL, {"taxonomy": "shop", "code": "saws", "name": "Saws"})
    assert (response.status_code, places(response)) == (409, {"/code": "code_taken"})
    response = as_administrator.patch(f"{URL}/{tree['drills'].pk}", {"code": "saws"})
    assert (response.status_code, places(response)) == (409, {"/code": "code_taken"})


def test_a_new_name_goes_into_all_paths_below(as_administrator: APIClient, tree: Tree) -> None:
    as_administrator.patch(f"{URL}/{tree['tools'].pk}", {"name": "Power tools"})
    assert Category.objects.get(code="hammer-drills").path == "Power tools > Drills > Hammer drills"
    assert Category.objects.get(code="safety").path == "Safety"


def test_a_moved_category_takes_what_lies_below_it_along(as_administrator: APIClient, tree: Tree) -> None:
    response = as_administrator.patch(f"{URL}/{tree['drills'].pk}", {"parent": tree["safety"].pk})
    assert response.json()["path"] == "Safety > Drills"
    assert Category.objects.get(code="hammer-drills").path == "Safety > Drills > Hammer drills"
    as_administrator.patch(f"{URL}/{tree['drills'].pk}", {"parent": None})
    assert Category.objects.get(code="hammer-drills").level == 2
    assert Category.objects.get(code="safety").is_leaf


@pytest.mark.parametrize("below", ["tools", "drills", "hammer-drills"])
def test_nothing_is_moved_below_itself(as_administrator: APIClient, tree: Tree, below: str) -> None:
    response = as_administrator.patch(f"{URL}/{tree['tools'].pk}", {"parent": tree[below].pk})
    assert (response.status_code, places(response)) == (400, {"/parent": "circle"})


def test_a_parent_is_of_the_same_taxonomy(as_administrator: APIClient, tree: Tree) -> None:
    load_taxonomy("other", "1", "Other", [CategoryRow("x", "X")])
    other = Category.objects.get(code="x")
    response = as_administrator.patch(f"{URL}/{tree['saws'].pk}", {"parent": other.pk})
    assert places(response) == {"/parent": "does_not_exist"}
    response = as_administrator.patch(f"{URL}/{tree['saws'].pk}", {"taxonomy": "other"})
    assert places(response) == {"/taxonomy": "fixed"}


def test_a_tree_has_a_depth(as_administrator: APIClient, tree: Tree) -> None:
    parent = tree["safety"].pk
    for number in range(40):
        body = {"taxonomy": "shop", "parent": parent, "code": f"deep-{number}", "name": "x"}
        response = as_administrator.post(URL, body)
        if response.status_code != 201:
            break
        parent = response.json()["id"]
    assert places(response) == {"/parent": "too_deep"}
    response = as_administrator.patch(f"{URL}/{tree['safety'].pk}", {"parent": tree["hammer-drills"].pk})
    assert places(response) == {"/parent": "too_deep"}


def test_a_category_may_be_sent_back_as_it_was_read(as_administrator: APIClient, tree: Tree) -> None:
    url = f"{URL}/{tree['drills'].pk}"
    read = as_administrator.get(url)
    assert as_administrator.put(url, read.json()).content == read.content


def test_only_an_empty_leaf_is_deleted(
    as_administrator: APIClient, tree: Tree, make_product: MakeProduct
) -> None:
    product = make_product(tree["hammer-drills"])
    for code in ("drills", "hammer-drills"):
        response = as_administrator.delete(f"{URL}/{tree[code].pk}")
        assert (response.status_code, response.json()["code"]) == (409, "in_use")
    product.delete()
    assert as_administrator.delete(f"{URL}/{tree['hammer-drills'].pk}").status_code == 204
    assert Category.objects.get(code="drills").is_leaf


def test_an_editor_reads_categories_and_does_not_write_them(as_editor: APIClient, tree: Tree) -> None:
    url = f"{URL}/{tree['saws'].pk}"
    assert as_editor.get(url).status_code == 200
    assert as_editor.post(URL, {"taxonomy": "shop", "code": "x", "name": "X"}).status_code == 403
    assert as_editor.patch(url, {"name": "X"}).status_code == 403
    assert as_editor.delete(url).status_code == 403
