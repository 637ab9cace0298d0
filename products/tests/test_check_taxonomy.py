"""manage.py check_taxonomy, and loading taxonomies and the demo"""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from nexus.api.errors import Problem
from products.demo import load_demo_products, load_demo_taxonomy
from products.models import Category, Product, Taxonomy
from products.services.loading import faults, load_taxonomy
from products.taxonomy_files.reading import CategoryRow
from products.tests.conftest import ROWS, Tree

Output = pytest.CaptureFixture[str]


def test_a_sound_tree_is_said_to_be(tree: Tree, capsys: Output) -> None:
    call_command("check_taxonomy")
    assert capsys.readouterr().out == "shop 1: 5 categories, all sound\n"


@pytest.mark.parametrize(
    ("field", "value"), [("path", "Drills"), ("lineage", "1/"), ("level", 9), ("is_leaf", True)]
)
def test_whatever_does_not_follow_from_the_parents_is_found_and_repaired(
    tree: Tree, capsys: Output, field: str, value: object
) -> None:
    Category.objects.filter(code="drills").update(**{field: value})
    with pytest.raises(CommandError, match="1 faults"):
        call_command("check_taxonomy", "shop")
    assert f"drills: {field} is {value!r}" in capsys.readouterr().err
    call_command("check_taxonomy", "shop", "--repair")
    call_command("check_taxonomy", "shop@1")


def test_a_circle_is_found(tree: Tree, capsys: Output) -> None:
    Category.objects.filter(code="tools").update(parent=tree["drills"], level=2)
    with pytest.raises(CommandError, match="4 faults"):
        call_command("check_taxonomy", "--repair")
    assert "round in a circle" in capsys.readouterr().err


def test_an_unknown_taxonomy_is_an_error(db: None) -> None:
    with pytest.raises(CommandError, match="no taxonomy 'shop'"):
        call_command("check_taxonomy", "shop")


def test_the_database_keeps_parents_in_their_taxonomy(tree: Tree) -> None:
    other = load_taxonomy("other", "1", "Other", [CategoryRow("x", "X")])
    Category.objects.filter(taxonomy=other).update(parent=tree["tools"], level=2)
    with pytest.raises(IntegrityError, match="products_category_parent_in_same_taxonomy"):
        connection.check_constraints()


def test_loading_twice_changes_nothing(tree: Tree, taxonomy: Taxonomy) -> None:
    before = list(Category.objects.values()), Taxonomy.objects.values().get(pk=taxonomy.pk)
    load_taxonomy("shop", "1", "Shop", reversed(ROWS))
    assert (list(Category.objects.values()), Taxonomy.objects.values().get(pk=taxonomy.pk)) == before


def test_loading_moves_renames_and_adds(tree: Tree, taxonomy: Taxonomy) -> None:
    load_taxonomy(
        "shop",
        "1",
        "Shop",
        [CategoryRow("jigsaws", "Jigsaws", "saws", ["jig"]), CategoryRow("saws", "Sawing", "safety")],
    )
    assert Category.objects.get(code="jigsaws").path == "Safety > Sawing > Jigsaws"
    assert Category.objects.get(code="saws").pk == tree["saws"].pk
    assert faults(taxonomy) == []
    assert Taxonomy.objects.get().revision == 3


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([CategoryRow("a", "A"), CategoryRow("a", "B")], "/1/code"),
        ([CategoryRow("a", "A", "nowhere")], "/0/parent"),
        ([CategoryRow("a", "A", "b"), CategoryRow("b", "B", "a")], "/0/parent"),
        ([CategoryRow("a", "A", "a")], "/0/parent"),
    ],
)
def test_a_tree_that_is_none_is_refused_with_its_row(db: None, rows: list[CategoryRow], place: str) -> None:
    with pytest.raises(Problem) as refusal:
        load_taxonomy("bad", "1", "Bad", rows)
    assert [error["pointer"] for error in refusal.value.errors] == [place]
    assert not Taxonomy.objects.exists()


def test_the_demo_loads_once_and_keeps_what_users_made_of_it(db: None) -> None:
    taxonomy = load_demo_taxonomy()
    assert load_demo_products() == Product.objects.count() >= 500
    assert faults(taxonomy) == []
    assert taxonomy.categories.filter(is_leaf=True).count() >= 250
    assert not Product.objects.filter(category__is_leaf=False).exists()
    Product.objects.filter(pk=Product.objects.earliest("pk").pk).update(name="Changed")
    before = list(Product.objects.values()), Taxonomy.objects.values().get()
    load_demo_taxonomy()
    assert load_demo_products() == 0
    assert (list(Product.objects.values()), Taxonomy.objects.values().get()) == before


def test_every_demo_product_would_be_accepted_by_the_api(db: None) -> None:
    load_demo_taxonomy()
    load_demo_products()
    for product in Product.objects.all():
        product.full_clean(validate_unique=False, validate_constraints=False)
