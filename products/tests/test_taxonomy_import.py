"""POST /api/v1/taxonomies/import and ``manage.py import_taxonomy``."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from nexus.jobs.models import Job, LogLine
from nexus.jobs.tests.conftest import work_off
from products.models import Category, Taxonomy
from products.services import taxonomy_imports
from products.services.loading import faults
from products.tests.conftest import places

URL = "/api/v1/taxonomies/import"
PLAIN = """code,parent,name,keywords
drills,tools,Drills,drill|driver
tools,,Tools,
"""
GOOGLE = """# Google_Product_Taxonomy_Version: 2021-09-21
632 - Hardware
1167 - Hardware > Tools
1217 - Hardware > Tools > Drills
"""
GERMAN = """# Google_Product_Taxonomy_Version: 2021-09-21
632 - Heimwerkerbedarf
1167 - Heimwerkerbedarf > Werkzeuge
1217 - Heimwerkerbedarf > Werkzeuge > Bohrmaschinen
9999 - Heimwerkerbedarf > Dübel
"""
SHOPIFY = """# Shopify Product Taxonomy - Categories: 2025-06
# Format: {GID} : {Ancestor name} > ... > {Category name}

gid://shopify/TaxonomyCategory/ha     : Hardware
gid://shopify/TaxonomyCategory/ha-1   : Hardware > Tools
"""
UNSPSC_KEYS = """Key,Parent key,Code,Title
1,,27000000,Tools and General Machinery
2,1,27110000,Hand tools
3,2,27111500,Cutting tools
4,3,27111501,Knife blades
"""
UNSPSC_LEVELS = """Segment,Segment Title,Family,Family Title,Class,Class Title,Commodity,Commodity Title,Synonym
27000000,Tools,27110000,Hand tools,27111500,Cutting tools,27111501,Knife blades,blade;spare blade
27000000,Tools,27110000,Hand tools,27111500,Cutting tools,27111502,Razor knives,
"""
UNSPSC_CODES = """Code;Title
27;Tools
2711;Hand tools
271115;Cutting tools
27111501;Knife blades
"""
ETIM = """ARTGROUPID;GROUPDESC;ARTCLASSID;ARTCLASSDESC;CLASSSYNONYM
EG000001;Cables;EC000001;Busbar;bus bar
EG000001;Cables;EC000001;Busbar;Sammelschiene
EG000001;Cables;EC003251;Cable duct;
"""


def send(client: APIClient, text: str | bytes, name: str = "taxonomy.csv", **fields: Any) -> Any:
    """A file as a browser would send it."""
    content = text.encode() if isinstance(text, str) else text
    return client.post(URL, {"file": SimpleUploadedFile(name, content), **fields}, format="multipart")


def paths(code: str) -> dict[str, str]:
    return dict(Category.objects.filter(taxonomy__code=code).values_list("code", "path"))


def test_a_plain_file_becomes_a_taxonomy_whose_tree_is_sound(as_administrator: APIClient) -> None:
    response = send(as_administrator, PLAIN, code="ours", version="1", name="Ours")
    assert response.status_code == 200, response.content
    report = response.json()
    assert (report["format"], report["added"], report["error_count"]) == ("plain", 2, 0)
    taxonomy = Taxonomy.objects.get(pk=report["taxonomy"]["id"])
    assert taxonomy.is_current
    assert paths("ours") == {"tools": "Tools", "drills": "Tools > Drills"}
    assert taxonomy.categories.get(code="drills").keywords == ["drill", "driver"]
    assert faults(taxonomy) == []


@pytest.mark.parametrize(
    ("text", "form", "version", "expected"),
    [
        (GOOGLE, "google", "2021-09-21", {"1217": "Hardware > Tools > Drills"}),
        (SHOPIFY, "shopify", "2025-06", {"ha-1": "Hardware > Tools"}),
        (
            UNSPSC_KEYS,
            "unspsc",
            "",
            {"27111501": "Tools and General Machinery > Hand tools > Cutting tools > Knife blades"},
        ),
        (UNSPSC_LEVELS, "unspsc", "", {"27111502": "Tools > Hand tools > Cutting tools > Razor knives"}),
        (UNSPSC_CODES, "unspsc", "", {"27111501": "Tools > Hand tools > Cutting tools > Knife blades"}),
        (ETIM, "etim", "", {"EC000001": "Cables > Busbar", "EC003251": "Cables > Cable duct"}),
    ],
)
def test_a_published_format_is_recognised_and_read(
    as_administrator: APIClient, text: str, form: str, version: str, expected: dict[str, str]
) -> None:
    response = send(as_administrator, text, **({} if version else {"version": "1"}))
    assert response.status_code == 200, response.content
    report = response.json()
    assert (report["format"], report["taxonomy"]["code"]) == (form, form)
    assert report["taxonomy"]["version"] == (version or "1")
    assert expected.items() <= paths(form).items()


def test_synonyms_of_unspsc_and_etim_become_keywords(as_administrator: APIClient) -> None:
    send(as_administrator, UNSPSC_LEVELS, version="1")
    send(as_administrator, ETIM, version="9")
    keywords = dict(Category.objects.exclude(keywords=[]).values_list("code", "keywords"))
    assert keywords == {"27111501": ["blade", "spare blade"], "EC000001": ["bus bar", "Sammelschiene"]}


def test_the_tables_of_an_etim_export_come_in_one_archive(as_administrator: APIClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        tables = {
            "ETIMARTGROUP.csv": "ARTGROUPID;GROUPDESC\nEG000001;Cables\n",
            "ETIMARTCLASS.csv": "ARTCLASSID;ARTGROUPID;ARTCLASSDESC\nEC000001;EG000001;Busbar\n",
            "ETIMARTCLASSSYNONYMMAP.csv": "ARTCLASSID;CLASSSYNONYM\nEC000001;bus bar\n",
            "ETIMFEATURE.csv": "FEATUREID;FEATUREDESC\nEF000001;Number of poles\n",
            "ETIMARTCLASSFEATUREMAP.csv": "ARTCLASSID;FEATUREID\nEC000001;EF000001\n",
        }
        for name, text in tables.items():
            archive.writestr(name, text.encode("utf-16"))
    response = send(as_administrator, packed.getvalue(), "etim.zip", version="9")
    assert response.status_code == 200, response.content
    busbar = Category.objects.get(code="EC000001")
    assert (busbar.path, busbar.keywords) == ("Cables > Busbar", ["bus bar"])
    assert busbar.description == "Number of poles"


UNSPSC_COLUMNS = [
    *(
        "Version",
        "Key",
        "Segment",
        "Segment Title",
        "Segment Definition",
        "Family",
        "Family Title",
        "Family Definition",
    ),
    *("Class", "Class Title", "Class Definition", "Commodity", "Commodity Title", "Commodity Definition"),
    *("Synonym", "Acronym"),
]


def as_published(*rows: list[Any]) -> bytes:
    """A workbook like that of UNDP: a title, the terms of use, and the header in row 13."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["UNSPSC UNv260801"])
    sheet.append(["© 2023 United Nations Development Programme (UNDP). All rights reserved."])
    for number, row in enumerate([UNSPSC_COLUMNS, *rows], start=13):
        for column, cell in enumerate(row, start=1):
            sheet.cell(number, column, cell)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


SEGMENT = ["UNv260801", 100001, 27000000, "Tools and General Machinery", "What one works with."]
FAMILY = [27110000, "Hand tools", None]
CLASS = [27111500, "Cutting and crimping\xa0tools\n", "Tools that cut."]


def test_the_workbook_of_unspsc_is_read_as_it_is_published(as_administrator: APIClient) -> None:
    content = as_published(
        [*SEGMENT, *[None] * 11],
        [*SEGMENT, *FAMILY, *CLASS, 27111501, "Knife blades", "A blade.", "blade; spare blade", "KB"],
        [*SEGMENT, *FAMILY, *CLASS, 27111502, "Razor knives", None, None, None],
    )
    response = send(as_administrator, content, "unspsc-english-v260801.1.xlsx")
    assert response.status_code == 200, response.content
    report = response.json()
    assert (report["format"], report["taxonomy"]["version"], report["added"]) == ("unspsc", "UNv260801", 5)
    blades = Category.objects.get(code="27111501")
    assert (
        blades.path == "Tools and General Machinery > Hand tools > Cutting and crimping tools > Knife blades"
    )
    assert (blades.keywords, blades.description) == (["blade", "spare blade", "KB"], "A blade.")
    described = dict(Category.objects.exclude(description="").values_list("code", "description"))
    assert described == {
        "27000000": "What one works with.",
        "27111500": "Tools that cut.",
        "27111501": "A blade.",
    }


def test_a_mistake_in_a_workbook_is_told_at_its_row(as_administrator: APIClient) -> None:
    content = as_published([*SEGMENT, *FAMILY, *CLASS, "2711150X", "Knife blades", None, None, None])
    assert places(send(as_administrator, content, "unspsc.xlsx")) == {"/file/14/code": "malformed_code"}


def test_a_workbook_in_which_nothing_is_known_is_refused(as_administrator: APIClient) -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.save(content)
    response = send(as_administrator, content.getvalue(), "unspsc.xlsx")
    assert places(response) == {"/file": "unknown_format"}


def test_an_export_of_etim_says_its_version_by_its_name_and_may_lack_a_byte_order_mark(
    as_administrator: APIClient,
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in {
            "ETIMARTCLASS": "ARTCLASSID;ARTGROUPID;ARTCLASSDESC;ARTCLASSVERSION\nEC000001;EG000001;Busbar;7\n",
            "ETIMARTGROUP": "ARTGROUPID;GROUPDESC\nEG000001;Cables\n",
            "ETIMUNIT": "UNITOFMEASID;UNITDESC\nEU570448;mm\n",
        }.items():
            archive.writestr(f"ETIM-10.0/{name}.csv", text.encode("utf-16-le"))
    name = "ETIM-10.0-ALL-SECTORS-CSV-METRIC-EI-2024-12-05.zip"
    response = send(as_administrator, packed.getvalue(), name)
    assert response.status_code == 200, response.content
    assert response.json()["taxonomy"]["version"] == "10.0"
    assert paths("etim") == {"EG000001": "Cables", "EC000001": "Cables > Busbar"}


def test_the_same_file_again_changes_nothing(as_administrator: APIClient) -> None:
    send(as_administrator, GOOGLE)
    revision = Taxonomy.objects.get(code="google").revision
    report = send(as_administrator, GOOGLE).json()
    assert (report["added"], report["changed"], report["unchanged"], report["absent"]) == (0, 0, 3, 0)
    assert Taxonomy.objects.get(code="google").revision == revision


def test_what_a_file_does_not_name_stays_and_is_told(as_administrator: APIClient) -> None:
    send(as_administrator, GOOGLE)
    report = send(as_administrator, GOOGLE.rpartition("1217")[0].replace("Tools", "Hand tools")).json()
    assert (report["changed"], report["absent"]) == (2, 1)
    assert paths("google")["1217"] == "Hardware > Hand tools > Drills"


def test_another_version_stands_beside_the_first_which_stays_current(as_administrator: APIClient) -> None:
    send(as_administrator, GOOGLE)
    send(as_administrator, GOOGLE.replace("2021-09-21", "2026-01-01"))
    versions = Taxonomy.objects.filter(code="google").order_by("id").values_list("version", "is_current")
    assert list(versions) == [("2021-09-21", True), ("2026-01-01", False)]


def test_names_in_a_second_language_become_keywords_and_stay_when_the_first_comes_again(
    as_administrator: APIClient,
) -> None:
    send(as_administrator, GOOGLE, "taxonomy-with-ids.en-US.txt")
    report = send(as_administrator, GERMAN, "taxonomy-with-ids.de-DE.txt").json()
    assert (report["language"], report["is_translation"], report["changed"]) == ("de-DE", True, 3)
    assert report["unknown_codes"] == ["9999"]
    assert send(as_administrator, GERMAN, "taxonomy-with-ids.de-DE.txt").json()["changed"] == 0
    send(as_administrator, GOOGLE, "taxonomy-with-ids.en-US.txt")
    drills = Category.objects.get(code="1217")
    assert (drills.name, drills.keywords) == ("Drills", ["Bohrmaschinen"])


def test_every_mistake_is_told_at_its_line_with_its_value_and_what_mends_it(
    as_administrator: APIClient,
) -> None:
    text = "code,parent,name\na,b,A\nb,a,B\nc,gone,C\nc,,C again\n,,Nameless\nd,,\n" + f"e,,{'x' * 201}\n"
    response = send(as_administrator, text, code="ours", version="1")
    assert response.status_code == 400
    assert places(response) == {
        "/file/2/parent": "circle",
        "/file/4/parent": "no_parent",
        "/file/5/code": "duplicate",
        "/file/6/code": "required",
        "/file/7/name": "required",
        "/file/8/name": "max_length",
    }
    detail = {error["pointer"]: error["detail"] for error in response.json()["errors"]}["/file/4/parent"]
    assert detail == (
        "Line 4, parent 'gone': No row has this code. Add a row with this code, or leave the parent empty."
    )
    assert not Taxonomy.objects.exists()


def test_a_dry_run_tells_changes_and_mistakes_and_writes_nothing(as_administrator: APIClient) -> None:
    report = send(as_administrator, PLAIN, code="ours", version="1", dry_run="true").json()
    assert (report["added"], report["taxonomy"]["id"], report["dry_run"]) == (2, None, True)
    report = send(as_administrator, PLAIN + "x,gone,X,\n", code="ours", version="1", dry_run="true").json()
    assert (report["error_count"], report["errors"][0]["code"], report["errors"][0]["line"]) == (
        1,
        "no_parent",
        4,
    )
    assert not Taxonomy.objects.exists()


@pytest.mark.parametrize(
    ("content", "fields", "place", "code"),
    [
        (b"", {}, "/file", "empty"),
        (b"code,name\na\x00,A\n", {}, "/file", "null_character"),
        (b"\xff\xfe\x00\xd8", {}, "/file", "encoding"),
        (b"\x81\x8d\x8f", {}, "/file", "encoding"),
        (b"hello\nworld\n", {}, "/file", "unknown_format"),
        (b'code,name\n"a,A\n', {}, "/file", "malformed_csv"),
        (b"PK\x03\x04 no archive", {}, "/file", "malformed_zip"),
        (b"PK\x03\x04", {"format": "google"}, "/file", "archive"),
        (b"code,name\na,A\n", {}, "/code", "required"),
        (b"code,name\n", {"code": "ours", "version": "1"}, "/file/0/file", "no_categories"),
        (b"code,name\na,A,b\n", {"code": "ours", "version": "1"}, "/file/2/row", "too_many_cells"),
        (b"Key,Parent key,Code,Title\n1,,27.0,X\n", {"version": "1"}, "/file/2/code", "malformed_code"),
        (b"1 - A\nrubbish\n", {"version": "1"}, "/file/2/line", "malformed"),
        (b"1 - A\n2 - B > C\n", {"version": "1"}, "/file/2/path", "no_parent"),
        (b'code,name\na,"A\nB"\n', {"code": "ours", "version": "1"}, "/file/3/name", "control_character"),
        (b"1 - A\n" + b"x" * 200_000, {"version": "1"}, "/file/2/line", "malformed"),
        (b"code,name\na," + b"x" * 200_000, {"code": "ours", "version": "1"}, "/file/2/name", "max_length"),
        (b"1 - A\n2 - A\n", {"version": "1"}, "/file/2/path", "duplicate_path"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    as_administrator: APIClient, content: bytes, fields: dict[str, str], place: str, code: str
) -> None:
    # REST framework refuses an empty file itself.
    response = send(as_administrator, content, **fields)
    assert response.status_code == 400
    assert places(response).get(place) == code, response.json()


def test_a_tree_that_is_too_deep_is_refused(as_administrator: APIClient) -> None:
    rows = "".join(f"c{n},{f'c{n - 1}' if n else ''},C\n" for n in range(31))
    response = send(as_administrator, f"code,parent,name\n{rows}", code="ours", version="1")
    assert places(response) == {"/file/32/parent": "too_deep"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1252"])
def test_encodings_and_line_ends_of_windows_are_understood(
    as_administrator: APIClient, encoding: str
) -> None:
    text = "Code;Parent;Name\r\nd;;Dübel\r\n".encode(encoding)
    assert send(as_administrator, text, code="ours", version="1").status_code == 200
    assert paths("ours") == {"d": "Dübel"}


def test_a_text_in_json_does_what_a_file_does(as_administrator: APIClient) -> None:
    response = as_administrator.post(URL, {"content": PLAIN, "code": "ours", "version": "1"})
    assert response.json()["added"] == 2


def test_a_large_file_is_loaded_by_a_job_whose_result_is_the_report(
    as_administrator: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taxonomy_imports, "LARGE", 1)
    response = send(as_administrator, GOOGLE)
    assert response.status_code == 202
    assert response.headers["Location"].endswith(f"/api/v1/jobs/{response.json()['id']}")
    job = work_off(Job.objects.get(pk=response.json()["id"]))
    assert (job.status, job.succeeded, job.result["added"]) == ("succeeded", 3, 3)
    assert job.reason == "Import of 3 categories into google 2021-09-21, requested through the API."
    assert len(paths("google")) == 3
    assert not job.chunks.filter(input__has_key="rows").exists()
    told = set(LogLine.objects.filter(job=job).values_list("message", flat=True))
    assert told >= {
        "Loading 3 categories into google@2021-09-21.",
        "Loaded: 3 added, 0 changed, 0 unchanged, 0 absent.",
    }


def test_the_number_of_statements_does_not_grow_with_the_file(as_administrator: APIClient) -> None:
    def statements(rows: int) -> int:
        text = "code,parent,name\nroot,,Root\n" + "".join(f"c{n},root,C {n}\n" for n in range(rows))
        with CaptureQueriesContext(connection) as captured:
            assert send(as_administrator, text, code=f"ours-{rows}", version="1").status_code == 200
        return len(captured)

    # The first request of a session also reads who its user is.
    statements(1)
    assert statements(50) == statements(2)


def test_the_same_key_imports_once(as_administrator: APIClient) -> None:
    headers: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "once"}
    for replayed in (None, "true"):
        file = SimpleUploadedFile("t.csv", PLAIN.encode())
        body = {"file": file, "code": "ours", "version": "1"}
        response = as_administrator.post(URL, body, format="multipart", **headers)
        assert response.json()["added"] == 2
        assert response.headers.get("Idempotent-Replayed") == replayed


def test_only_administrators_import(as_editor: APIClient, as_viewer: APIClient) -> None:
    for client in (as_editor, as_viewer):
        assert send(client, PLAIN, code="ours", version="1").status_code == 403
    assert not Taxonomy.objects.exists()


def test_the_command_imports_and_reports(
    db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "taxonomy-with-ids.de-DE.txt"
    file.write_text(GERMAN)
    call_command("import_taxonomy", str(file))
    report = json.loads(capsys.readouterr().out)
    assert (report["added"], report["language"]) == (4, "de-DE")
    assert paths("google")["1217"] == "Heimwerkerbedarf > Werkzeuge > Bohrmaschinen"


def test_the_command_tells_every_mistake_and_fails(
    db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ours.csv"
    file.write_text("code,parent,name\na,gone,A\nb,gone,B\n")
    with pytest.raises(CommandError, match="2 mistakes"):
        call_command("import_taxonomy", str(file), "--code", "ours", "--taxonomy-version", "1")
    assert capsys.readouterr().err.count("No row has this code") == 2
    assert not Taxonomy.objects.exists()
