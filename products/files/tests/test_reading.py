"""Files as people and their programs make them, and as those do who mean harm."""

import gzip
import io
import json
import os
import zipfile
from dataclasses import asdict
from typing import Any

import openpyxl
import pytest

from nexus.api.errors import Problem
from products.files import delimited, json_lines, mapping, reading, unpacking, workbooks
from products.files.layouts import Given, Layout, Place, Row

Cells = list[Any]


def read(content: bytes, **given: Any) -> tuple[Layout, list[Row]]:
    """The layout that is guessed, and all rows."""
    file = io.BytesIO(content)
    layout, _ = reading.examine(file, Given(**given), mapping.known)
    with reading.opened(file, layout) as rows:
        return layout, list(rows)


def cells(content: bytes, **given: Any) -> list[Any]:
    return [row.cells for row in read(content, **given)[1]]


def faults(content: bytes) -> list[tuple[int, str | None]]:
    return [(row.number, row.fault[0] if row.fault else None) for row in read(content)[1]]


def code_of(content: bytes) -> str:
    """Why a file is refused."""
    with pytest.raises(Problem) as refused:
        read(content)
    return str(refused.value.errors[0]["code"])


def workbook(rows: list[Cells]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def packed(content: bytes) -> bytes:
    """By gzip, and the same at any time: workers of a test run must find tests by the same names."""
    return gzip.compress(content, mtime=0)


def repacked(book: bytes, name: str, content: bytes) -> bytes:
    """A workbook with another content in one of its entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("content", "delimiter", "encoding"),
    [
        ("sku,name\r\n1,Säge\r\n".encode("utf-8-sig"), ",", "utf-8"),
        ("sku;name\r\n1;Säge\r\n".encode("cp1252"), ";", "cp1252"),
        ("sku\tname\r\n1\tSäge\r\n".encode("utf-16"), "\t", "utf-16"),
        ("sku\tname\r\n1\tSäge\r\n".encode("utf-16-le"), "\t", "utf-16-le"),
        (b"sep=;\r\nsku;name\r\n1;S\xc3\xa4ge\r\n", ";", "utf-8"),
        ("sku|name\n1|Säge\n".encode(), "|", "utf-8"),
        ("sku,name\r1,Säge\r".encode(), ",", "utf-8"),
        (packed("sku,name\n1,Säge\n".encode()), ",", "utf-8"),
    ],
)
def test_csv_of_excel_and_others_is_understood(content: bytes, delimiter: str, encoding: str) -> None:
    layout, rows = read(content)

    assert (layout.delimiter, layout.encoding, layout.columns) == (delimiter, encoding, ["sku", "name"])
    assert [row.cells for row in rows] == [["1", "Säge"]]


def test_a_decimal_comma_is_no_delimiter() -> None:
    assert cells(b"Artikelnummer;Preis\n1;2,50\n2;3,75\n") == [["1", "2,50"], ["2", "3,75"]]


def test_quoted_newlines_belong_to_a_row_and_blank_lines_are_counted_and_passed_over() -> None:
    rows = read(b'sku,name\n1,"two\nlines"\n\n2,b\n')[1]

    assert [(row.number, row.cells) for row in rows] == [(2, ["1", "two\nlines"]), (4, ["2", "b"])]


def test_a_file_without_a_header_has_numbered_columns() -> None:
    assert read(b"4711,Drill\n4712,Saw\n")[0].columns == ["column 1", "column 2"]
    assert len(cells(b"sku,name\n1,a\n", header=False)) == 2


def test_columns_of_one_name_are_told_apart() -> None:
    assert read(b"sku,name,name,\n1,a,b,c\n")[0].columns == ["sku", "name", "name (3)", "column 4"]


def test_rows_that_are_ragged_are_faults_and_the_others_are_read() -> None:
    assert faults(b"sku,name\n1\n2,b\n3,c,d\n4,d,,\n") == [
        (2, "too_few_cells"),
        (3, None),
        (4, "too_many_cells"),
        (5, None),
    ]


def test_a_quote_that_is_not_closed_is_a_fault() -> None:
    assert faults(b'sku,name\n1,a\n2,"b\n3,c\n') == [(2, None), (3, "malformed_row")]


def test_a_cell_that_is_too_long_is_a_fault_and_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_ROW", 1000)

    assert faults(b"sku,name\n1," + b"x" * 5000 + b"\n2,b\n") == [(2, "malformed_row"), (3, None)]
    # Also where it is made of many lines.
    many = b'sku,name\n1,"' + b"x\n" * 600 + b'"\n2,b\n'
    assert (2, "malformed_row") in faults(many)


def test_bytes_that_the_encoding_does_not_know_are_kept_for_the_row() -> None:
    sample = b"sku,name\n" + b"1,a\n" * 300_000
    rows = read(sample + b"2,S\xe4ge\n")[1]

    assert list(rows[-1].cells) == ["2", "S\udce4ge"]


def test_json_lines_are_objects_and_others_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_ROW", 100)
    content = b'\xef\xbb\xbf{"sku": "1"}\n\n[1]\n{"sku": \n{"sku": "' + b"x" * 500 + b'"}\n{"sku": "2"}'

    assert faults(content) == [
        (1, None),
        (3, "not_an_object"),
        (4, "malformed_json"),
        (5, "malformed_row"),
        (6, None),
    ]


UTF_16 = "sku\tname\r\n" + "".join(f"{number}\tSäge {number}\r\n" for number in range(6))
PLACES = [
    b'sku,name\n1,"two\nlines"\n\n2,b\n3,short,long\n4,"open\n5,c\n',
    b"\xef\xbb\xbfsep=;\r\nsku;name\r\n1;S\xc3\xa4ge\r\n2;\xf0\x9f\xaa\x9a\r\n3;\xff\r\n",
    "sku;name\r1;Säge\r2;Öse\r".encode("cp1252"),
    UTF_16.encode("utf-16"),
    UTF_16.encode("utf-16-be"),
    b'\n{"sku":1}\n\n[]\n{"sku":2,"name":"S\xc3\xa4ge"}\n',
]


@pytest.mark.parametrize("pack", [bytes, packed])
@pytest.mark.parametrize("content", PLACES)
def test_reading_goes_on_from_any_place_as_if_it_had_not_stopped(content: bytes, pack: Any) -> None:
    file = io.BytesIO(pack(content))
    layout, expected = read(file.getvalue())
    found: list[Row] = []
    place = None
    while True:
        with reading.opened(file, layout, place) as rows:
            row = next(rows, None)
            if row is None:
                break
            found.append(row)
            # It is kept as JSON meanwhile.
            place = Place(**json.loads(json.dumps(asdict(rows.place()))))

    assert found == expected
    assert len(found) > 1


@pytest.mark.parametrize(
    ("content", "least", "most"),
    [
        (b"sku,name\n" + b"1,abcde\n" * 300_000, 299_000, 301_000),
        (packed(b"sku,name\n" + b"1,abcde\n" * 300_000), 299_000, 301_000),
        (b"sku,name\r" + b"1,abcde\r" * 1_000, 1_000, 1_001),
    ],
)
def test_the_number_of_rows_is_estimated_by_the_first_of_them(content: bytes, least: int, most: int) -> None:
    file = io.BytesIO(content)

    assert least <= reading.estimate(file, read(content)[0]) <= most


@pytest.mark.parametrize("pack", [bytes, packed])
def test_a_workbook_is_read_whatever_its_name(pack: Any) -> None:
    layout, rows = read(pack(workbook([["sku", "name", "V"], [123, "Drill", 18.5], [None] * 3, ["a", "b"]])))

    assert (layout.format, layout.columns) == ("xlsx", ["sku", "name", "V"])
    assert [(row.number, row.cells) for row in rows] == [(2, [123, "Drill", 18.5]), (4, ["a", "b", None])]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (packed(b""), "empty"),
        (b"%PDF-1.7", "unsupported_format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "unsupported_format"),
        (b"<html><body>", "unsupported_format"),
        (b'[{"sku": "1"}]', "unsupported_format"),
        (b"PK\x03\x04nonsense", "malformed_xlsx"),
        (b"\x1f\x8bnonsense", "malformed_gzip"),
        (packed(b"sku,name\n" * 1000)[:-8], "malformed_gzip"),
        (b",".join(b"c%d" % n for n in range(501)) + b"\n", "too_many_columns"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, code: str) -> None:
    assert code_of(content) == code


def test_an_archive_of_something_else_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "hello")

    assert code_of(file.getvalue()) == "unsupported_format"


def test_a_zip_bomb_is_refused_unopened() -> None:
    assert code_of(repacked(workbook([["sku"]]), SHEET, b" " * 50_000_000)) == "too_large"


def test_entities_of_xml_are_refused() -> None:
    laughs = (
        b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    )

    assert code_of(repacked(workbook([["sku"]]), SHEET, laughs)) == "malformed_xlsx"


def test_a_cell_of_a_workbook_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_CELL", 10_000)

    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="str"><v>' + os.urandom(200_000).hex().encode() + b"</v></c></row>"
        b"</sheetData></worksheet>"
    )

    assert code_of(repacked(workbook([["sku"]]), SHEET, sheet)) == "cell_too_long"


def test_rows_that_a_workbook_only_claims_to_have_are_not_waited_for() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="str"><v>sku</v></c></row><row r="999999999"><c r="A999999999"><v>1</v></c></row>'
        b"</sheetData></worksheet>"
    )

    assert code_of(repacked(workbook([["sku"]]), SHEET, sheet)) == "too_many_rows"


def test_unpacking_ends_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed(b"sku,name\n" + b"1,a\n" * 500_000)
    monkeypatch.setattr(unpacking, "MAX_UNPACKED", 1_500_000)

    assert code_of(content) == "too_large"
