"""Advice names the categories that need keywords or examples, most useful first."""

from classification.engine import Category, Text
from classification.engine.advice import Reason, advise

OILS = [Text(f"Acme drain oil {number}") for number in range(6)]
CATEGORIES = [
    Category(1, "hydraulic", "Hydraulic oil", "Oil > Hydraulic oil"),
    Category(2, "engine", "Engine oil", "Oil > Engine oil"),
    Category(3, "spanners", "Spanners", "Spanners", ("wrench",)),
]


def test_a_category_with_doubtful_products_comes_first() -> None:
    found = advise(CATEGORIES, [Text("oil 5L"), Text("oil 1L"), Text("spanner 10mm")], {})
    assert {one.category_id for one in found[:2]} == {1, 2}
    assert [one.products for one in found[:2]] == [2, 2]


def test_it_says_what_the_category_is_confused_with() -> None:
    found = {one.category_id: one for one in advise(CATEGORIES, [Text("oil 5L")], {})}
    assert found[1].confused_with == (2,)
    assert found[2].confused_with == (1,)


def test_it_suggests_words_of_the_doubtful_products_that_no_category_has() -> None:
    found = advise(CATEGORIES, OILS, {})[0]
    assert found.suggested_terms == ("drain",)


def test_it_does_not_suggest_what_titles_begin_with_or_the_maker() -> None:
    texts = [Text(f"Acme oil Brunel {number}", manufacturer="Brunel") for number in range(6)]
    assert advise(CATEGORIES, texts, {})[0].suggested_terms == ()


def test_a_category_without_keywords_is_told_so() -> None:
    found = {one.category_id: one.reason for one in advise(CATEGORIES, OILS, {})}
    assert found[1] == Reason.NO_KEYWORDS


def test_a_category_with_examples_comes_later() -> None:
    found = advise(CATEGORIES, [Text("oil 5L"), Text("oil 1L")], {1: 20})
    assert found[0].category_id == 2


def test_not_more_than_asked_and_the_same_every_time() -> None:
    assert len(advise(CATEGORIES, OILS, {}, most=1)) == 1
    assert advise(CATEGORIES, OILS, {}) == advise(CATEGORIES, OILS, {})


def test_a_taxonomy_without_leaves_gets_no_advice() -> None:
    assert advise([Category(1, "a", "Tools", "Tools", (), False)], OILS, {}) == []
