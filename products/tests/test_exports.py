"""GET /api/v1/products/export: files of products."""

import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.files.columns import NAMES
from products.files.formats import FORMATS
from products.files.formulas import FIRST
from products.files.tests.conftest import read
from products.models import Product
from products.services import exports, imports
from products.tests.conftest import URL, MakeProduct, Tree, places

EXPORT = f"{URL}/export"

in_every_format = pytest.mark.parametrize("form", FORMATS)

# The fields that an import makes of a file as they were. A new field has to be added here, and so to the files.
COMES_BACK = {
    "sku",
    "name",
    "description",
    "manufacturer",
    "part_number",
    "gtin",
    "attributes",
    "status",
    "category",
    "category_source",
}
# These are of one installation: files tell them, and whoever reads a file passes them over.
STAYS_HERE = {"id", "created_at", "updated_at"}
# PostgreSQL makes it of the others.
MADE_OF_OTHERS = {"search_vector"}


HARD_TEXTS = [
    "=1+1",
    "-12 V, \"quoted\"; and 'single'",
    "'=1+1",
    "'80s drill",
    "+49 30 1234",
    "＠home",  # noqa: RUF001
    "a\ttab",
    "two\r\nlines, and\nthree",
    "Über 日本語 🔩 \u200b",
    "\x01\x1f_x0041_ <b>&amp;</b>",
    "00123",
    "1e5",
    "true",
    "NULL",
    "{}",
]
HARD_ATTRIBUTES: dict[str, Any] = {
    "=1+1": "=1+1",
    "whole": 18,
    "fraction": 18.0,
    "text": "18",
    "small": -0.000001,
    "large": 2**53 - 1,
    "yes": True,
    "no": False,
    "empty": "",
    "lines": 'a"\r\n\tb',
}


@pytest.fixture
def hard_products(make_product: MakeProduct, tree: Tree) -> list[Product]:
    """Products with everything that files have lost before."""
    for number, text in enumerate(HARD_TEXTS):
        make_product(
            sku=f"{text}-{number}".strip(),
            name=text,
            description=text,
            manufacturer=text,
            part_number=text,
            attributes={"text": text},
            status=Product.Status.values[number % 3],
        )
    make_product(tree["saws"], gtin="00012348", attributes=HARD_ATTRIBUTES)
    for source in Product.CategorySource.values:
        product = make_product(tree["hammer-drills"])
        Product.objects.filter(pk=product.pk).update(category_source=source)
    return list(Product.objects.select_related("category__taxonomy").order_by("pk"))


def exported(client: APIClient, query: str = "format=csv") -> bytes:
    answer: Any = client.get(f"{EXPORT}?{query}")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def skus(client: APIClient, query: str = "") -> list[str]:
    return [row["sku"] for row in read(exported(client, f"format=jsonl&{query}"), "jsonl")]


def test_every_field_of_a_product_is_in_the_table_of_what_comes_back() -> None:
    fields = {field.name for field in Product._meta.fields}
    assert fields == COMES_BACK | STAYS_HERE | MADE_OF_OTHERS


@in_every_format
def test_every_field_comes_back_where_there_was_nothing(
    as_viewer: APIClient, hard_products: list[Product], form: str
) -> None:
    content = exported(as_viewer, f"format={form}")
    Product.objects.all().delete()
    job = imported(content, form)
    assert (job.failed, job.succeeded) == (0, len(hard_products))
    found = {product.sku: product for product in Product.objects.select_related("category__taxonomy")}
    for product in hard_products:
        for name in COMES_BACK:
            assert (name, _value(found[product.sku], name)) == (name, _value(product, name))


@in_every_format
def test_nothing_changes_where_it_came_from(
    as_viewer: APIClient, hard_products: list[Product], form: str
) -> None:
    before = list(Product.objects.order_by("pk").values())
    job = imported(exported(as_viewer, f"format={form}"), form)
    assert (job.failed, job.succeeded) == (0, len(hard_products))
    assert list(Product.objects.order_by("pk").values()) == before


def imported(content: bytes, form: str) -> Job:
    """The job of an import that is told nothing of the file."""
    return work_off(imports.accept(io.BytesIO(content), f"products.{form}", imports.Options(), user=None))


def _value(product: Product, name: str) -> str:
    """A field with its type, since 18, 18.0 and true are not the same; a category by what it is called."""
    category = product.category
    if name != "category":
        return repr(getattr(product, name))
    return repr(category and (str(category.taxonomy), category.code))


@in_every_format
def test_a_file_tells_the_id_the_times_and_the_path_of_the_category(
    as_viewer: APIClient, make_product: MakeProduct, tree: Tree, form: str
) -> None:
    product = make_product(tree["saws"])
    (row,) = read(exported(as_viewer, f"format={form}"), form)
    assert list(row) == list(NAMES)
    assert str(row["id"]) == str(product.pk)
    assert row["category_path"] == "Tools > Saws"
    assert row["created_at"] == product.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_cell_of_a_spreadsheet_is_a_formula(
    as_viewer: APIClient, hard_products: list[Product], form: str
) -> None:
    cells = [cell for row in read(exported(as_viewer, f"format={form}"), form) for cell in row.values()]
    assert not [cell for cell in cells if isinstance(cell, str) and cell.startswith(tuple(FIRST))]
    assert "'=1+1" in cells


def test_csv_is_marked_as_utf_8_and_has_every_text_in_quotes(
    as_viewer: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(name='3/4" bolt; zinc')
    content = exported(as_viewer)
    assert content.startswith(b"\xef\xbb\xbfid,")
    assert f'\r\n{product.pk},"{product.sku}","3/4"" bolt; zinc",""'.encode() in content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["drill", "saw", "old"]),
        ("status=archived", ["old"]),
        ("manufacturer=BOSCH", ["drill"]),
        ("category__isnull=true", ["old"]),
        ("taxonomy=shop&category={tools}", ["drill", "saw"]),
        ("search=circulr saw", ["saw"]),
    ],
)
def test_the_filters_of_the_list_choose(
    as_viewer: APIClient, make_product: MakeProduct, tree: Tree, query: str, found: list[str]
) -> None:
    make_product(tree["hammer-drills"], sku="drill", name="Combi drill", manufacturer="Bosch")
    make_product(tree["saws"], sku="saw", name="Circular saw")
    make_product(sku="old", name="Vice", status="archived")
    assert skus(as_viewer, query.format(tools=tree["tools"].pk)) == found


@pytest.mark.parametrize(
    ("query", "place", "code"),
    [
        ("format=pdf", "/query/format", "invalid"),
        ("colour=red", "/query/colour", "unknown_parameter"),
        ("page_size=5", "/query/page_size", "unknown_parameter"),
        ("ordering=sku", "/query/ordering", "unknown_parameter"),
        ("status=broken", "/query/status", "invalid_choice"),
        ("category=0", "/query/category", "invalid_choice"),
    ],
)
def test_what_it_does_not_know_it_refuses(as_viewer: APIClient, query: str, place: str, code: str) -> None:
    answer = as_viewer.get(f"{EXPORT}?{query}")
    assert answer.status_code == 400
    assert places(answer) == {place: code}


def test_attributes_that_no_cell_of_xlsx_can_hold_are_refused_before_anything_is_sent(
    as_viewer: APIClient, make_product: MakeProduct
) -> None:
    make_product(sku="LONG", attributes={f"a{number}": "x" * 2000 for number in range(17)})
    answer = as_viewer.get(f"{EXPORT}?format=xlsx")
    assert places(answer) == {"/query/format": "cell_too_long"}
    assert "LONG" in answer.json()["detail"]
    assert len(read(exported(as_viewer, "format=csv"), "csv")) == 1


@in_every_format
def test_a_file_is_a_download_with_a_name(as_viewer: APIClient, make_product: MakeProduct, form: str) -> None:
    make_product()
    answer = as_viewer.get(f"{EXPORT}?format={form}")
    assert answer.headers["Content-Type"] == FORMATS[form].media_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="products.{form}"'


@in_every_format
def test_without_products_there_is_an_empty_file(as_viewer: APIClient, db: None, form: str) -> None:
    assert read(exported(as_viewer, f"format={form}"), form) == []


def test_more_products_cost_no_more_statements(
    as_viewer: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            skus(as_viewer)
        return len(captured)

    make_product(tree["saws"])
    statements()
    one = statements()
    for _ in range(3):
        make_product(tree["hammer-drills"])
    statements()
    assert statements() == one


@pytest.mark.django_db(transaction=True)
def test_a_client_that_goes_away_frees_the_cursor(make_product: MakeProduct) -> None:
    make_product()
    pieces = exports.stream(exports.chosen({}, pointer=""), "jsonl")
    next(pieces)
    assert _open_cursors() == 1
    pieces.close()  # type: ignore[attr-defined]
    assert _open_cursors() == 0
    assert not connection.in_atomic_block


def _open_cursors() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors")
        return int(cursor.fetchone()[0])


def test_rows_are_read_as_they_are_written(
    as_viewer: APIClient, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("products.files.rows.ROWS_AT_ONCE", 2)
    for number in range(5):
        make_product(sku=f"S-{number}")
    told: list[int] = []
    pieces = exports.stream(exports.chosen({}, pointer=""), "jsonl", tell=told.append)
    next(pieces)
    assert told == []
    next(pieces)
    assert told == [2]
    assert len(list(pieces)) == 1
    assert told == [2, 2, 1]


def test_who_has_no_role_gets_no_file(client_of: ClientOf, stranger: User) -> None:
    assert client_of(stranger).get(EXPORT).status_code == 403
    assert APIClient().get(EXPORT).status_code == 401
