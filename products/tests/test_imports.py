"""Importing products: what is created, changed and refused, and what of it is told."""

import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.users import update_user
from conftest import ClientOf
from nexus.jobs.models import File, Job
from nexus.jobs.tests.conftest import work_off
from products.history import ProductEvent
from products.models import ImportChange, Product, Taxonomy
from products.services.categories import create_category
from products.tests.conftest import URL as PRODUCTS
from products.tests.conftest import MakeProduct, Tree, places
from products.tests.imports import CSV, URL, content_of, counts, errors, import_file, send
from products.validators import MAX_ATTRIBUTES

pytestmark = pytest.mark.django_db

# They belong to the installation.
NOT_CARRIED = {"id", "search_vector", "created_at", "updated_at"}


def test_products_are_created_from_a_file(as_editor: APIClient, editor: User) -> None:
    answer = send(as_editor)

    assert answer.status_code == 202
    assert answer["Location"].endswith(f"{URL}/{answer.json()['id']}")
    job = work_off(Job.objects.get(pk=answer.json()["id"]))
    assert (job.status, counts(job)) == ("succeeded", (2, 0, 0, 0))
    assert list(Product.objects.values_list("sku", "name", "gtin", "status")) == [
        ("A-1", "Drill", "4006381333931", "draft"),
        ("A-2", "Saw", "", "draft"),
    ]
    assert as_editor.get(PRODUCTS, {"search": "drill"}).json()["count"] == 1
    history = as_editor.get(f"{PRODUCTS}/{Product.objects.get(sku='A-1').pk}/history").json()["results"]
    assert [(one["action"], one["user"]["id"], one["source"]) for one in history] == [
        ("created", editor.pk, "job")
    ]


def test_the_same_file_twice_changes_nothing_the_second_time(as_editor: APIClient) -> None:
    import_file(as_editor)
    before = list(Product.objects.values())
    events = ProductEvent.objects.count()

    assert counts(import_file(as_editor)) == (0, 0, 2, 0)
    assert list(Product.objects.values()) == before
    assert ProductEvent.objects.count() == events


def test_an_upsert_changes_what_differs_and_leaves_what_the_file_lacks(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    make_product(sku="A-1", name="Old", description="Kept", attributes={"volts": 18})

    job = import_file(as_editor)

    product = Product.objects.get(sku="A-1")
    assert counts(job) == (1, 1, 0, 0)
    assert (product.name, product.description, product.attributes) == ("Drill", "Kept", {"volts": 18})


def test_create_refuses_skus_that_there_are(as_editor: APIClient, make_product: MakeProduct) -> None:
    make_product(sku="A-1", name="Old")

    job = import_file(as_editor, mode="create")

    assert (job.status, counts(job)) == ("partially_failed", (1, 0, 0, 1))
    assert errors(as_editor, job) == [(2, "sku", "sku_taken")]
    assert Product.objects.get(sku="A-1").name == "Old"


def test_update_refuses_skus_that_there_are_not(as_editor: APIClient, make_product: MakeProduct) -> None:
    make_product(sku="A-1", name="Old")

    job = import_file(as_editor, "sku,status\nA-1,active\nA-2,active\n", mode="update")

    assert counts(job) == (0, 1, 0, 1)
    assert errors(as_editor, job) == [(3, "sku", "does_not_exist")]
    assert Product.objects.get().status == "active"


def test_all_errors_are_told_with_row_column_value_and_reason(as_editor: APIClient, tree: Tree) -> None:
    file = (
        "sku,name,gtin,status,attributes,category_code\n"
        "A-1,,4006381333930,new,{,nothing\n"
        "A-2,Good,,,,saws\n"
        "A-2,Twice,,,,\n"
        ",No SKU,,,,\n"
        "A-5,short\n"
        f"{'x' * 65},Long,,,,\n"
    )
    job = import_file(as_editor, file)

    assert counts(job) == (1, 0, 0, 5)
    assert sorted(errors(as_editor, job)) == [
        (2, "attributes", "not_json"),
        (2, "category_code", "does_not_exist"),
        (2, "gtin", "gtin_check_digit"),
        (2, "name", "blank"),
        (2, "status", "invalid_choice"),
        (4, "sku", "duplicate"),
        (5, "sku", "blank"),
        (6, "", "too_few_cells"),
        (7, "sku", "max_length"),
    ]
    wrong = as_editor.get(f"{URL}/{job.pk}/errors", {"code": "gtin_check_digit"}).json()["results"][0]
    assert wrong["value"] == "4006381333930"
    assert "1 would be right" in wrong["detail"]


def test_failed_rows_are_mended_and_sent_back(as_editor: APIClient) -> None:
    file = 'sku;name;gtin\nA-1;"Dr;ill";4006381333930\nA-2;Saw;\nA-3;\'=1+1;1\n'
    job = import_file(as_editor, file)

    failed = content_of(as_editor.get(f"{URL}/{job.pk}/failed-rows"))

    lines = failed.splitlines()
    assert lines[0] == "sku;name;gtin;import_error"
    assert lines[1].startswith('A-1;"Dr;ill";4006381333930;gtin: The check digit')
    assert lines[2].startswith("A-3;'=1+1;1;")
    mended = failed.replace("4006381333930", "4006381333931").replace(";1;", ";;")
    assert counts(import_file(as_editor, mended, unmapped="attributes")) == (2, 0, 0, 0)
    assert Product.objects.get(sku="A-3").name == "=1+1"
    assert Product.objects.get(sku="A-1").attributes == {}


def test_a_dry_run_tells_every_error_and_change_and_writes_nothing(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    make_product(sku="A-1", name="Old", gtin="4006381333931")
    before = list(Product.objects.values())

    job = import_file(as_editor, CSV + "A-3,,\n", dry_run=True)

    assert counts(job) == (1, 1, 0, 1)
    assert errors(as_editor, job) == [(4, "name", "blank")]
    assert list(Product.objects.values()) == before
    assert content_of(as_editor.get(f"{URL}/{job.pk}/changes")).splitlines() == [
        "row,sku,action,field,before,after",
        "2,A-1,update,name,Old,Drill",
        "3,A-2,create,name,,Saw",
    ]


def test_after_a_dry_run_its_file_is_imported(as_editor: APIClient) -> None:
    checked = import_file(as_editor, dry_run=True)

    answer = as_editor.post(URL, {"job": str(checked.pk)}, format="multipart")

    assert answer.status_code == 202, answer.content
    assert counts(work_off(Job.objects.get(pk=answer.json()["id"]))) == (2, 0, 0, 0)


def test_a_category_is_given_by_code_or_path_and_counts_as_imported(
    as_editor: APIClient, tree: Tree, make_product: MakeProduct
) -> None:
    make_product(sku="A-4", category=tree["saws"])
    file = "sku,name,Warengruppe\nA-1,a,hammer-drills\nA-2,b,Tools > Saws\nA-3,c,Tools/Drills\nA-4,d,saws\n"

    assert counts(import_file(as_editor, file)) == (3, 1, 0, 0)
    assert list(Product.objects.order_by("sku").values_list("category__code", "category_source")) == [
        ("hammer-drills", "imported"),
        ("saws", "imported"),
        ("drills", "imported"),
        # It was there before, and stays what a user chose.
        ("saws", "manual"),
    ]


def test_only_a_reviewer_may_import_decided_reviews(
    client_of: ClientOf, editor: User, reviewer: User, tree: Tree
) -> None:
    file = "sku,name,category_code,category_source\nA-1,Saw,saws,reviewed\n"

    refused = import_file(client_of(editor), file)
    assert errors(client_of(editor), refused) == [(2, "category_source", "permission_denied")]

    assert counts(import_file(client_of(reviewer), file)) == (1, 0, 0, 0)
    assert Product.objects.get().category_source == "reviewed"


def test_rights_are_those_that_the_owner_has_when_the_file_is_imported(
    client_of: ClientOf, reviewer: User, tree: Tree
) -> None:
    client = client_of(reviewer)
    file = "sku,name,category_code,category_source\nA-1,Saw,saws,reviewed\n"
    asked = [Job.objects.get(pk=send(client, file).json()["id"]) for _ in range(2)]

    update_user(reviewer, roles=["editor"])
    assert errors(client, work_off(asked[0])) == [(2, "category_source", "permission_denied")]
    update_user(reviewer, roles=["viewer"])
    assert work_off(asked[1]).status == "failed"
    assert "has lost the role" in asked[1].error
    assert not Product.objects.exists()


def test_columns_become_attributes_with_their_types(as_editor: APIClient, make_product: MakeProduct) -> None:
    make_product(sku="A-1", name="Drill", attributes={"colour": "red", "V": 12})

    job = import_file(as_editor, "sku,V,rohs,code,empty\nA-1,18,true,007,\n", unmapped="attributes")

    assert counts(job) == (0, 1, 0, 0)
    assert Product.objects.get().attributes == {"colour": "red", "V": 18, "rohs": True, "code": "007"}


def test_json_lines_change_the_fields_that_each_row_has(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    make_product(sku="A-1", name="Old", description="Kept")
    lines = (
        '{"sku": "A-1", "name": "New"}\n'
        '{"sku": "A-2", "name": "Made", "attributes": {"x": 1.0}}\n'
        "\nnonsense\n"
        '{"sku": "A-3"}\n'
    )

    job = import_file(as_editor, lines)

    assert counts(job) == (1, 1, 0, 2)
    assert errors(as_editor, job) == [(4, "", "malformed_json"), (5, "name", "required")]
    assert Product.objects.get(sku="A-1").description == "Kept"


def test_a_mapping_takes_the_place_of_what_is_guessed_and_is_kept_as_a_profile(as_editor: APIClient) -> None:
    file = "Nr,Text,EAN\n1,Drill,4006381333931\n"
    refused = send(as_editor, file)
    assert places(refused) == {"/mapping": "required"}

    given = '{"Nr": "sku", "Text": "name", "EAN": "attributes.ean"}'
    assert counts(import_file(as_editor, file, mapping=given, save_profile="Acme")) == (1, 0, 0, 0)
    assert Product.objects.get().attributes == {"ean": 4006381333931}

    assert counts(import_file(as_editor, "Nr,Text\n2,Saw\n", profile="Acme")) == (1, 0, 0, 0)


def test_attributes_that_a_row_adds_count_with_those_that_the_product_has(
    as_editor: APIClient, make_product: MakeProduct
) -> None:
    full = {f"a{number}": number for number in range(MAX_ATTRIBUTES)}
    make_product(sku="A-1", name="Drill", attributes=full)
    make_product(sku="A-2", name="Saw", attributes=full)

    job = import_file(as_editor, "sku,a1,volts\nA-1,2,\nA-2,,18\n", unmapped="attributes")

    assert counts(job) == (0, 1, 0, 1)
    assert errors(as_editor, job) == [(3, "", "too_many_attributes")]
    assert dict(Product.objects.values_list("sku", "attributes")) == {"A-1": full | {"a1": 2}, "A-2": full}


def test_a_path_that_two_categories_have_is_not_taken_for_either(as_editor: APIClient, tree: Tree) -> None:
    saws = tree["saws"]
    create_category({"taxonomy": saws.taxonomy, "code": "same", "name": "Saws", "parent_id": saws.parent_id})

    job = import_file(
        as_editor, f"sku,name,category_path\n1,Saw,{saws.path}\n2,Drill,{tree['drills'].path}\n"
    )

    assert counts(job) == (1, 0, 0, 1)
    assert errors(as_editor, job) == [(2, "category_path", "ambiguous")]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"mapping": '{"nothing": "sku"}'}, {"/mapping/nothing": "unknown_column"}),
        ({"mapping": '{"sku": "price"}'}, {"/mapping/sku": "unknown_target"}),
        ({"mapping": '{"name": "sku", "gtin": "sku"}'}, {"/mapping/gtin": "duplicate"}),
        ({"mapping": "[]"}, {"/mapping": "not_an_object"}),
        ({"mode": "replace"}, {"/mode": "invalid_choice"}),
        ({"profile": "nobody"}, {"/profile": "does_not_exist"}),
        ({"taxonomy": "nowhere"}, {"/taxonomy": "does_not_exist"}),
        ({"colour": "red"}, {"/colour": "unknown_field"}),
    ],
)
def test_a_wrong_form_is_refused_with_its_place(
    as_editor: APIClient, form: dict[str, str], expected: dict[str, str]
) -> None:
    assert places(send(as_editor, **form)) == expected
    assert not Job.objects.exists()


def test_a_preview_shows_the_guesses_and_the_first_rows(as_editor: APIClient) -> None:
    file = io.BytesIO("Artikelnummer;Bezeichnung;Länge\r\n1;Bohrer;7\r\n2;;8\r\n".encode("cp1252"))
    answer = as_editor.post(f"{URL}/preview", {"file": file}, format="multipart")

    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["layout"]["delimiter"], shown["layout"]["encoding"]) == (";", "cp1252")
    assert shown["mapping"] == {"Artikelnummer": "sku", "Bezeichnung": "name"}
    assert shown["unmapped"] == ["Länge"]
    assert shown["rows"][0] == {"row": 2, "values": {"sku": "1", "name": "Bohrer"}, "errors": []}
    assert shown["rows"][1]["errors"][0]["code"] == "blank"
    assert not Job.objects.exists()


def test_who_may_not_write_products_may_not_import_them(
    as_viewer: APIClient, as_editor: APIClient, client_of: ClientOf, stranger: User
) -> None:
    assert send(as_viewer).status_code == 403
    assert send(client_of(stranger)).status_code == 403
    assert send(APIClient()).status_code == 401
    job = import_file(as_editor)
    # What came of the import of somebody else is not there for others.
    for what in ("", "/errors", "/failed-rows", "/changes"):
        assert as_viewer.get(f"{URL}/{job.pk}{what}").status_code == 404
    assert as_viewer.post(URL, {"job": str(job.pk)}, format="multipart").status_code == 403


def test_a_key_imports_a_file_once(as_editor: APIClient) -> None:
    answers = [send(as_editor, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert Job.objects.count() == 1


def test_a_file_that_is_too_large_is_a_413(as_editor: APIClient, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000

    assert send(as_editor, "sku,name\n" + "x" * 1000).status_code == 413


def test_many_rows_cost_as_many_statements_as_few(as_editor: APIClient, taxonomy: Taxonomy) -> None:
    def statements(rows: range) -> int:
        file = "sku,name,category\n" + "".join(f"{number},Saw,saws\n" for number in rows)
        job = Job.objects.get(pk=send(as_editor, file).json()["id"])
        with CaptureQueriesContext(connection) as captured:
            work_off(job)
        assert counts(job) == (len(rows), 0, 0, 0)
        return len(captured)

    assert statements(range(2)) == statements(range(2, 902))


def test_a_job_is_deleted_with_its_file_and_all_that_came_of_it(as_editor: APIClient) -> None:
    job = import_file(as_editor, CSV + "A-3,,\n", dry_run=True)

    job.delete()

    assert not File.objects.exists()
    assert not ImportChange.objects.exists()


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_what_was_exported_is_imported_as_it_was(
    form: str, client_of: ClientOf, reviewer: User, make_product: MakeProduct, tree: Tree
) -> None:
    client = client_of(reviewer)
    make_product(
        tree["saws"], sku="=1+1", name="'=1", description='a\r\nb\tc _x000D_ "q" ; ,', manufacturer="'x"
    )
    make_product(sku="007", name="@x", gtin="4006381333931", status="active", part_number="1e5")
    make_product(sku="ä", name="true", attributes={"a": 18, "b": 18.5, "c": "18", "d": True, "e": "=1"})
    Product.objects.filter(sku="=1+1").update(category_source="reviewed")
    fields = [field.attname for field in Product._meta.fields if field.attname not in NOT_CARRIED]
    before = list(Product.objects.order_by("sku").values(*fields))
    exported = client.get(f"{PRODUCTS}/export", {"format": form})
    file = b"".join(exported.streaming_content)  # type: ignore[attr-defined]

    assert counts(import_file(client, file)) == (0, 0, 3, 0)
    Product.objects.all().delete()
    assert counts(import_file(client, file)) == (3, 0, 0, 0)

    assert list(Product.objects.order_by("sku").values(*fields)) == before
