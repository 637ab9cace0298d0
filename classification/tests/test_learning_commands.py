"""``manage.py train_classifier`` and ``manage.py taxonomy_advice``."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from classification.models import Classifier
from classification.tests.conftest import MakeProduct
from products.models import Category

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def told(command: str, *arguments: str) -> tuple[str, str]:
    """What a command writes, and what it says beside it."""
    out, err = io.StringIO(), io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_training_ends_with_a_report_and_may_activate(
    make_product: MakeProduct, categories: dict[str, Category]
) -> None:
    for code in ("tools.drills", "safety.gloves"):
        make_product(f"Thing of {code}", category=categories[code], category_source="manual")
    out, _ = told("train_classifier", "shop", "--activate")
    assert "Version 1 of shop is active. It has learned from 2 labelled products of 2 of 4 categories." in out
    assert "right at first" in out
    assert Classifier.objects.get().status == "active"


def test_a_training_that_fails_says_why(settings: Any) -> None:
    settings.TRAINING_MEMORY_BYTES = 50 * settings.MEBIBYTE
    with pytest.raises(CommandError, match="needed more memory than the 50 MB"):
        told("train_classifier", "shop")


@pytest.mark.parametrize("command", ["train_classifier", "taxonomy_advice"])
def test_an_unknown_taxonomy_is_named(command: str) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        told(command, "nowhere")


def test_categories_that_need_words_are_listed_with_the_words(make_product: MakeProduct) -> None:
    for number in range(12):
        make_product(f"Saw drill frobnicator {number}")
    out, said = told("taxonomy_advice", "shop", "--most", "2")
    assert out.startswith("1. ")
    assert "frobnicator" in out
    assert "12 products" in said


def test_where_there_is_nothing_to_advise_it_says_so(make_product: MakeProduct) -> None:
    out, said = told("taxonomy_advice", "shop", "--most", "0")
    assert out == ""
    assert "Nothing to advise" in said


@pytest.mark.parametrize("option", ["--most", "--products"])
def test_a_negative_number_is_refused_by_name(option: str) -> None:
    with pytest.raises(CommandError, match=f"{option}: invalid natural_number"):
        told("taxonomy_advice", "shop", f"{option}=-1")
