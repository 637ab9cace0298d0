"""``manage.py classify``."""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from classification.tests.conftest import DRILL, GLOVES, MakeProduct
from products.models import Category, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

MASK = "FFP3 respirator dust mask FFP3 valved"


def classify(*arguments: str) -> tuple[list[dict[str, str]], str]:
    """The rows that it writes, and what it says at the end."""
    out, err = io.StringIO(), io.StringIO()
    call_command("classify", *arguments, stdout=out, stderr=err)
    return list(csv.DictReader(io.StringIO(out.getvalue()))), err.getvalue()


def test_the_rows_of_a_csv_file_are_answered_as_csv(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text(f'name,manufacturer\n"{DRILL}",Makita\n{GLOVES},\n')
    rows, said = classify("--file", str(file))
    assert [row["category_code"] for row in rows] == ["tools.drills", "safety.gloves"]
    assert [row["position"] for row in rows] == ["0", "1"]
    assert "2 of 2 classified: " in said
    assert "0 failed" in said


def test_products_of_a_filter_are_answered(make_product: MakeProduct) -> None:
    make_product(DRILL, status="active")
    make_product(GLOVES, status="draft")
    rows, _ = classify("--filter", "status=active", "--filter", "category__isnull=true")
    assert [row["name"] for row in rows] == [DRILL]


def test_apply_writes_accepted_categories(make_product: MakeProduct, categories: dict[str, Category]) -> None:
    make_product(MASK)
    classify("--all", "--apply")
    assert Product.objects.get().category == categories["safety.masks"]


def test_the_answers_go_to_a_file_when_one_is_named(make_product: MakeProduct, tmp_path: Path) -> None:
    make_product(DRILL)
    rows, _ = classify("--all", "--output", str(tmp_path / "answers.csv"))
    assert rows == []
    assert "tools.drills" in (tmp_path / "answers.csv").read_text()


def test_a_bad_row_is_named_and_nothing_is_classified(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("name,product_id\n,seven\n")
    with pytest.raises(CommandError, match="/file/1/product_id"):
        classify("--file", str(file))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--file", "/no/such/file.csv"], "cannot be read"),
        (["--filter", "status"], "NAME=VALUE"),
        (["--filter", "colour=red"], "colour"),
        (["--all", "--taxonomy", "nowhere"], "nowhere"),
        (["--all", "--output", "/no/such/answers.csv"], "cannot be written"),
        ([], "required"),
    ],
)
def test_bad_arguments_are_explained(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        classify(*arguments)


def test_products_that_fail_make_it_fail(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("product_id\n999\n")
    with pytest.raises(CommandError, match="Not everything"):
        classify("--file", str(file))
