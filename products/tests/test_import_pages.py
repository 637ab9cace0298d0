"""The staff pages on which files of products are checked and imported."""

import io
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import VIEWER
from conftest import MakeUser
from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.models import ImportProfile, Product
from products.tests.imports import content_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/products/product/import/"
FILE = "Artikelnummer;Text;EAN\r\n1;Bohrer;4006381333931\r\n2;Säge;1\r\n"


@pytest.fixture
def staff(administrator: User, client: Client) -> Client:
    client.force_login(administrator)
    return client


def upload(staff: Client, **form: Any) -> Any:
    file = io.BytesIO(FILE.encode("cp1252"))
    file.name = "supplier.csv"
    given = {"file": file, "mode": "upsert", "profile": "", "delimiter": "", "encoding": "", "taxonomy": ""}
    return staff.post(PAGE, given | form)


def work_off_newest() -> Job:
    return work_off(Job.objects.first())  # type: ignore[arg-type]


def test_a_file_is_checked_then_mapped_then_imported(staff: Client) -> None:
    assert "Import" in staff.get("/admin/products/product/").content.decode()
    checked = upload(staff)
    job = work_off_newest()
    assert not Product.objects.exists()

    page = staff.get(checked["Location"]).content.decode()
    assert job.reason in page
    assert job.reason == "Check of supplier.csv, requested on the admin pages."
    assert "csv, cp1252" in page
    assert "Would be created 0" in page
    assert "The product is new, and needs a name." in page

    imported = staff.post(
        checked["Location"],
        {
            "column:Artikelnummer": "sku",
            "column:Text": "name",
            "column:EAN": "gtin",
            "mode": "create",
            "save_profile": "Supplier",
            "_import": "Import",
        },
    )
    job = work_off_newest()

    assert imported["Location"].endswith(f"/{job.pk}/")
    assert list(Product.objects.values_list("sku", "name")) == [("1", "Bohrer")]
    assert ImportProfile.objects.get(name="Supplier").mapping["Text"] == "name"
    page = staff.get(imported["Location"]).content.decode()
    assert "Created 1" in page
    failed = staff.get(f"/api/v1/products/import/{job.pk}/failed-rows")
    assert content_of(failed).splitlines()[1].startswith("2;Säge;1;EAN: ")


def test_a_file_that_cannot_be_read_is_refused_on_the_page(staff: Client) -> None:
    file = io.BytesIO(b"%PDF-1.7")
    file.name = "price list.csv"

    answer = staff.post(PAGE, {"file": file, "mode": "upsert"}, follow=True)

    assert "The file is a PDF" in answer.content.decode()
    assert not Job.objects.exists()


def test_staff_who_may_not_write_products_have_no_such_pages(
    client: Client, make_user: MakeUser, staff: Client
) -> None:
    upload(staff)
    job = work_off_newest()
    client.force_login(make_user(VIEWER, email="staff@example.org", is_staff=True))

    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE}{job.pk}/").status_code == 403
    assert client.post(f"{PAGE}{job.pk}/", {"_import": "Import"}).status_code == 403
    assert PAGE not in client.get("/admin/products/product/").content.decode()


def test_profiles_are_kept_by_hand(staff: Client) -> None:
    page = "/admin/products/importprofile/add/"
    form = {"name": "Acme", "mapping": '{"Nr": "sku"}', "header": "unknown", "delimiter": ";"}

    staff.post(page, form)
    again = staff.post(page, form, follow=True)

    assert ImportProfile.objects.get().mapping == {"Nr": "sku"}
    assert "already exists" in again.content.decode()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mapping": "[1]"}, "A mapping is a JSON object with columns."),
        ({"mapping": '{"Nr": "colour"}'}, "The targets are sku"),
        ({"encoding": "rot13"}, "rot13 is not one of the available choices."),
        ({"delimiter": "x"}, "x is not one of the available choices."),
    ],
)
def test_a_profile_that_no_file_could_be_read_by_is_refused(
    staff: Client, given: dict[str, str], told: str
) -> None:
    form = {"name": "Acme", "mapping": '{"Nr": "sku"}', "header": "unknown"}
    answer = staff.post("/admin/products/importprofile/add/", form | given, follow=True)
    assert told in answer.content.decode()
    assert not ImportProfile.objects.exists()
