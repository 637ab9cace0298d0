"""A label or two for each of many categories: foreign text is refused, own products found, at a level that holds."""

import csv
from pathlib import Path

import pytest

from classification.engine import Category, Classifier, Example, Text, fit
from classification.engine.thesaurus import built_in_categories

DEMO = Path(__file__).resolve().parents[3] / "products" / "data" / "demo_products.csv"
AREAS = ("hand-tools", "plumbing", "fasteners", "safety")
FOREIGN = (
    "random text about cooking pasta",
    "How to cook pasta al dente in salted boiling water for nine minutes",
    "The weather will be mild with some rain in the west",
    "Seven nights in Tenerife all inclusive, half board",
    "Ich habe heute keine Zeit, wir sehen uns morgen",
    "Recette de la tarte aux pommes de ma grand-mère",
    "Third party car insurance, annual premium",
    "Driving lesson, 90 minutes",
    "Violin strings medium set",
    "Cookbook of the Levant",
)


@pytest.fixture(scope="module")
def areas() -> list[Category]:
    return [one for one in built_in_categories() if one.code.startswith(AREAS)]


@pytest.fixture(scope="module")
def products(areas: list[Category]) -> list[Example]:
    """The demo products, less than two a category; those of other makers than the labelled ones come last."""
    ids = {category.code: category.id for category in areas}
    with DEMO.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["category"] in ids]
    rows.sort(key=lambda row: (row["manufacturer"], row["sku"]))
    return [
        Example(Text(row["name"], row["description"], row["manufacturer"]), ids[row["category"]])
        for row in rows
    ]


@pytest.fixture(scope="module")
def barely_trained(areas: list[Category], products: list[Example]) -> Classifier:
    return fit(areas, products[: len(products) * 4 // 5])


def test_foreign_text_is_not_certain_and_hardly_ever_at_a_higher_level(barely_trained: Classifier) -> None:
    found = barely_trained.predict([Text(text) for text in FOREIGN])
    assert not any(one.is_certain for one in found)
    assert sum(one.back_off is not None for one in found) <= 1


def test_few_labels_do_not_make_answers_worse_than_the_names_alone(
    barely_trained: Classifier, areas: list[Category], products: list[Example]
) -> None:
    unseen = products[len(products) * 4 // 5 :]
    texts, labels = [one.text for one in unseen], [one.category_id for one in unseen]
    with_labels, without = (
        sum(found.category_id == label for found, label in zip(one.predict(texts), labels, strict=True))
        for one in (barely_trained, fit(areas))
    )
    assert with_labels >= without


def test_where_the_leaf_is_unsure_the_category_above_it_is_named(
    barely_trained: Classifier, areas: list[Category], products: list[Example]
) -> None:
    unseen = products[len(products) * 4 // 5 :]
    paths = {category.id: category.path for category in areas}
    found = zip(barely_trained.predict([one.text for one in unseen]), unseen, strict=True)
    above = [(one.back_off, example) for one, example in found if one.back_off]
    assert above
    right = [paths[example.category_id].startswith(f"{paths[one.category_id]} > ") for one, example in above]
    assert sum(right) >= 0.9 * len(right)
