"""``manage.py propose_mappings``, ``list_mappings`` and ``confirm_mappings``."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from products.models import Category, CategoryMapping
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow

pytestmark = pytest.mark.django_db

PAIR = ("shop@1", "other@1")


@pytest.fixture(autouse=True)
def two_taxonomies() -> None:
    load_taxonomy(
        "shop", "1", "Shop", [CategoryRow("a", "Saws"), CategoryRow("b", "Nails"), CategoryRow("c", "=Glue")]
    )
    tools = CategoryRow("1", "Tools")
    load_taxonomy("other", "1", "Other", [tools, CategoryRow("2", "saws", "1"), CategoryRow("3", "Nails")])


def run(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def steps() -> set[tuple[str, str | None, bool]]:
    return set(CategoryMapping.objects.values_list("source__code", "target__code", "is_decided"))


def test_steps_are_proposed_listed_and_confirmed_by_the_list_that_was_written(
    tmp_path: Path, administrator: User
) -> None:
    assert json.loads(run("propose_mappings", *PAIR)) == {"code": 0, "path": 1, "name": 1}
    assert steps() == {("a", "2", False), ("b", "3", True)}

    listed = run("list_mappings", *PAIR, "--open")
    (row,) = csv.DictReader(io.StringIO(listed))
    assert (row["source_code"], row["target_path"], row["basis"]) == ("a", "Tools > saws", "name")

    file = tmp_path / "decisions.csv"
    file.write_text(listed)
    assert run("confirm_mappings", *PAIR, file, user=administrator.email) == ("1 of 1 decided.\n")
    assert steps() == {("a", "2", True), ("b", "3", True)}
    assert CategoryMapping.objects.get(source__code="a").decided_by == administrator
    assert run("confirm_mappings", *PAIR, file).startswith("0 of 1 decided")


def test_a_line_gives_another_target_or_says_that_there_is_none(tmp_path: Path) -> None:
    run("propose_mappings", *PAIR)
    file = tmp_path / "decisions.csv"
    file.write_text("source_code,target_code\na,1\nc,\n")
    run("confirm_mappings", *PAIR, file)
    assert steps() == {("a", "1", True), ("b", "3", True), ("c", None, True)}


def test_what_was_decided_is_corrected_by_the_same_command(tmp_path: Path, administrator: User) -> None:
    run("propose_mappings", *PAIR)
    file = tmp_path / "decisions.csv"
    for content, told, decided in (
        ("a,2\n", "1 of 1 decided.", {("a", "2"), ("b", "3")}),
        ("a,1\n", "1 of 1 decided, 1 taken back.", {("a", "1"), ("b", "3")}),
        ("a,1\na,2\n", "1 of 2 decided; the others were so before.", {("a", "1"), ("a", "2"), ("b", "3")}),
        ("a,\nb,2\n", "2 of 2 decided, 3 taken back.", {("a", None), ("b", "2")}),
        ("a,3\na,3\n", "1 of 1 decided, 1 taken back.", {("a", "3"), ("b", "2")}),
    ):
        file.write_text(f"source_code,target_code\n{content}")
        assert run("confirm_mappings", *PAIR, file, user=administrator.email).startswith(told)
        assert steps() == {(*step, True) for step in decided}
    assert set(CategoryMapping.objects.values_list("basis", "decided_by")) == {("person", administrator.pk)}


def test_two_suggestions_of_one_category_may_both_be_confirmed(tmp_path: Path) -> None:
    run("propose_mappings", *PAIR)
    step = CategoryMapping.objects.get(source__code="a")
    other = Category.objects.get(taxonomy=step.target_taxonomy, code="1")
    step.pk, step.target = None, other
    step.save()
    file = tmp_path / "decisions.csv"
    file.write_text("source_code,target_code\na,1\na,2\n")
    assert run("confirm_mappings", *PAIR, file).startswith("2 of 2 decided.")
    assert steps() == {("a", "1", True), ("a", "2", True), ("b", "3", True)}


def test_with_one_wrong_line_nothing_is_decided_and_all_of_them_are_told(tmp_path: Path) -> None:
    file, told = tmp_path / "decisions.csv", io.StringIO()
    file.write_text("source_code,target_code\na,1\nz,1\na,9\n,1\n")
    with pytest.raises(CommandError, match="3 lines are wrong"):
        run("confirm_mappings", *PAIR, file, stderr=told)
    assert told.getvalue().splitlines() == [
        "Line 3: there is no category z.",
        "Line 4: there is no category 9.",
        "Line 5: it names no category.",
    ]
    assert not CategoryMapping.objects.exists()


def test_names_that_a_spreadsheet_would_run_are_harmless_in_the_list(tmp_path: Path) -> None:
    file = tmp_path / "decisions.csv"
    file.write_text("source_code,target_code\nc,3\n")
    run("confirm_mappings", *PAIR, file)
    (row,) = csv.DictReader(io.StringIO(run("list_mappings", *PAIR)))
    assert row["source_path"] == "'=Glue"


@pytest.mark.parametrize("command", ["propose_mappings", "list_mappings"])
def test_what_is_no_taxonomy_is_told(command: str) -> None:
    with pytest.raises(CommandError, match="There is no taxonomy 'nowhere@1'"):
        run(command, "shop@1", "nowhere@1")


def test_a_taxonomy_is_not_mapped_to_itself() -> None:
    with pytest.raises(CommandError, match="mapped to another"):
        run("propose_mappings", "shop@1", "shop@1")


@pytest.mark.parametrize(
    ("content", "reason"),
    [("code\na\n", "no column source_code and no column target_code"), (None, "cannot be read")],
)
def test_a_file_that_holds_no_decisions_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "decisions.csv"
    if content:
        file.write_text(content)
    with pytest.raises(CommandError, match=reason):
        run("confirm_mappings", *PAIR, file)
