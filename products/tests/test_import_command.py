"""``manage.py import_products``."""

import gzip
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from products.history import ProductEvent
from products.models import Product
from products.tests.imports import CSV

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> str:
    told = StringIO()
    call_command("import_products", *map(str, arguments), stderr=told)
    return told.getvalue()


def test_a_file_is_imported_and_the_end_reported(tmp_path: Path, editor: User) -> None:
    file = tmp_path / "products.csv.gz"
    file.write_bytes(gzip.compress(CSV.encode()))

    told = run(file, "--user", editor.email)

    assert "csv, utf-8, delimiter ','" in told
    assert "2 rows: 2 created, 0 updated, 0 unchanged, 0 failed" in told
    assert Product.objects.count() == 2
    assert ProductEvent.objects.first().pgh_context["user"] == editor.pk


def test_it_fails_when_a_row_fails_and_writes_those_rows(tmp_path: Path) -> None:
    file, failed = tmp_path / "products.csv", tmp_path / "failed.csv"
    file.write_text("Nr,name\n1,Drill\n2,\n")

    with pytest.raises(CommandError, match="Not every row"):
        run(file, "--map", "Nr=sku", "--failed-rows", failed)

    assert Product.objects.get().sku == "1"
    assert failed.read_text("utf-8-sig") == "Nr,name,import_error\n2,,name: This field may not be blank.\n"


def test_a_dry_run_writes_only_what_it_would_change(tmp_path: Path) -> None:
    file, changes = tmp_path / "products.csv", tmp_path / "changes.csv"
    file.write_text(CSV)

    assert "2 would be created" in run(file, "--dry-run", "--changes", changes)

    assert "2,A-1,create,name,,Drill" in changes.read_text()
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("content", "arguments", "reason"),
    [
        ("a,b\n1,2\n", [], "No column is mapped to sku"),
        ("sku,name\n1,2\n", ["--user", "nobody@example.org"], "There is no user"),
        ("sku,name\n1,2\n", ["--map", "sku"], "COLUMN=FIELD"),
        ("", [], "has no rows"),
        (None, [], "cannot be read"),
    ],
)
def test_it_says_what_is_wrong(
    tmp_path: Path, content: str | None, arguments: list[str], reason: str
) -> None:
    file = tmp_path / "products.csv"
    if content is not None:
        file.write_text(content)

    with pytest.raises(CommandError, match=reason):
        run(file, *arguments)


def test_a_user_without_the_role_may_not(tmp_path: Path, viewer: User) -> None:
    file = tmp_path / "products.csv"
    file.write_text(CSV)

    with pytest.raises(CommandError, match="roles do not allow"):
        run(file, "--user", viewer.email)
