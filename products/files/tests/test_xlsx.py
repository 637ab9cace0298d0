"""Workbooks that are written as a stream."""

import io
import zipfile
from collections.abc import Iterator

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.files import xlsx
from products.files.formulas import SEPARATOR
from products.files.tests.conftest import read, sheets

HEADING = ["b", "a"]

Part = list[tuple[str, int]]


def rows(part: Part) -> bytes:
    return xlsx.rows([number for _, number in part], "".join(SEPARATOR + text for text, _ in part))


def workbook(*parts: Part) -> bytes:
    return b"".join(xlsx.workbook(HEADING, map(rows, parts)))


def test_rows_come_back_in_their_order() -> None:
    content = workbook([("x", 1), ("y", -2)], [("z", 3)])
    assert read(content, "xlsx") == [{"a": "x", "b": 1}, {"a": "y", "b": -2}, {"a": "z", "b": 3}]


def test_without_rows_there_is_a_sheet_with_the_heading() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook()), read_only=True)
    assert [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets] == [[("b", "a")]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=SEPARATOR), max_size=20)))
def test_any_texts_come_back(texts: list[str]) -> None:
    content = workbook([(text, number) for number, text in enumerate(texts)])
    assert [row["a"] or "" for row in read(content, "xlsx")] == texts


def test_a_cell_without_text_is_blank() -> None:
    sheet = zipfile.ZipFile(io.BytesIO(workbook([("", 1)]))).read("xl/worksheets/sheet1.xml")
    assert b"<row><c><v>1</v></c><c/></row>" in sheet


@pytest.mark.parametrize(
    "text", ["_x0041_", "_x0041\x01", "a\r\nb\tc", "\x0b\x1f", " <&> ", "\ufffe", "__x000D_"]
)
def test_text_that_xml_cannot_hold_or_would_change_comes_back(text: str) -> None:
    assert read(workbook([(text, 1)]), "xlsx") == [{"a": text, "b": 1}]


def test_a_full_sheet_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_ROWS", 3)
    content = workbook([("x", 1), ("y", 2)], [("z", 3)])
    assert sheets(content) == [[{"a": "x", "b": 1}, {"a": "y", "b": 2}], [{"a": "z", "b": 3}]]


def test_so_is_one_that_grows_too_large_for_a_plain_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_SHEET_BYTES", 100)
    assert [len(sheet) for sheet in sheets(workbook([("x" * 90, 1)], [("y", 2)], [("z", 3)]))] == [1, 1, 1]


def test_a_text_that_is_too_long_for_a_cell_is_refused_and_not_cut() -> None:
    assert read(workbook([("x" * 32_767, 1)]), "xlsx")[0]["a"] == "x" * 32_767
    with pytest.raises(ValueError, match="32767"):
        rows([("x" * 32_768, 1)])


def test_characters_are_counted_as_excel_does_in_utf16() -> None:
    longest = "\N{HAMMER}\N{NUT AND BOLT}" * 8_191 + "xyz"
    assert read(workbook([(longest, 1)]), "xlsx")[0]["a"] == longest
    with pytest.raises(ValueError, match="32767"):
        rows([(longest + "x", 1)])


def test_it_begins_before_the_rows_do() -> None:
    def parts() -> Iterator[bytes]:
        yield rows([("x", 1)])
        raise AssertionError("asked for too early")

    assert next(xlsx.workbook(HEADING, parts())).startswith(b"PK")


def test_the_archive_is_sound() -> None:
    assert zipfile.ZipFile(io.BytesIO(workbook([("x", 1)]))).testzip() is None
