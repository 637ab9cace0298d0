"""The pages that import taxonomies, compare and map their versions, and carry products over."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from conftest import MakeUser
from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.models import CategoryMapping, Taxonomy
from products.services import mapping, taxonomy_deletion, taxonomy_imports
from products.services.loading import load_taxonomy
from products.tests.conftest import MakeProduct
from products.tests.test_taxonomy_versions import ONE, TWO

TAXONOMIES = "/admin/products/taxonomy/"
MAPPINGS = "/admin/products/categorymapping/"
PLAIN = "code,parent,name\ntools,,Tools\ndrills,tools,Drills\n"


@pytest.fixture
def staff(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


@pytest.fixture
def versions(db: None) -> tuple[Taxonomy, Taxonomy]:
    return load_taxonomy("shop", "1", "Shop", ONE), load_taxonomy("shop", "2", "Shop", TWO)


def send(client: Client, text: str, **fields: str) -> Any:
    file = SimpleUploadedFile("ours.csv", text.encode())
    return client.post(
        f"{TAXONOMIES}import/", {"file": file, "code": "ours", "version": "1", **fields}, follow=True
    )


def test_a_file_is_looked_at_first_and_then_imported(staff: Client) -> None:
    assert b"Import a file" in staff.get(TAXONOMIES).content
    looked_at = send(staff, PLAIN, dry_run="on").content.decode()
    assert "Format plain" in looked_at
    assert "2 to add" in looked_at
    assert not Taxonomy.objects.exists()
    assert "2 categories added" in send(staff, PLAIN).content.decode()
    assert Taxonomy.objects.get().categories.count() == 2


def test_mistakes_are_shown_with_what_to_do(staff: Client) -> None:
    page = send(staff, "code,parent,name\na,gone,A\n").content.decode()
    assert "1 mistake" in page
    assert "Add a row with this code" in page
    assert "none of the formats" in send(staff, "rubbish").content.decode()
    assert not Taxonomy.objects.exists()


def test_a_large_file_becomes_a_job(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taxonomy_imports, "LARGE", 1)
    assert "A job does it" in send(staff, PLAIN).content.decode()
    assert Job.objects.get().kind == taxonomy_imports.KIND


def test_a_large_taxonomy_is_deleted_by_a_job(
    staff: Client, versions: tuple[Taxonomy, Taxonomy], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = versions
    page = staff.post(f"{TAXONOMIES}{two.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "was deleted successfully" in page
    monkeypatch.setattr(taxonomy_deletion, "MANY_CATEGORIES", 0)
    page = staff.post(f"{TAXONOMIES}{one.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "A job does it" in page
    assert "was deleted successfully" not in page
    assert Taxonomy.objects.get() == one


def test_a_version_shows_what_it_changed(staff: Client, versions: tuple[Taxonomy, Taxonomy]) -> None:
    one, two = versions
    assert b"What it changed" in staff.get(f"{TAXONOMIES}{two.pk}/change/").content
    page = staff.get(f"{TAXONOMIES}{two.pk}/changes/?since={one.pk}").content.decode()
    assert "1 added, 1 removed, 1 moved, 1 renamed, 1 recoded, 2 unchanged" in page
    assert "Power drills" in page


def test_steps_are_proposed_confirmed_and_edited(staff: Client, versions: tuple[Taxonomy, Taxonomy]) -> None:
    one, two = versions
    page = staff.post(f"{MAPPINGS}propose/", {"source": one.pk, "target": two.pk}, follow=True)
    assert "4 by code, 1 by path, 0 to confirm by name" in page.content.decode()
    CategoryMapping.objects.update(is_decided=False)
    saws = CategoryMapping.objects.get(source__code="saws")
    staff.post(MAPPINGS, {"action": "confirm", "_selected_action": [saws.pk]})
    saws.refresh_from_db()
    assert (saws.is_decided, saws.basis) == (True, "person")
    drills = two.categories.get(code="drills")
    staff.post(f"{MAPPINGS}{saws.pk}/change/", {"target": drills.pk})
    saws.refresh_from_db()
    assert (saws.target, saws.kind) == (drills, "merged")
    glue = one.categories.get(code="glue")
    staff.post(f"{MAPPINGS}add/", {"source": glue.pk, "target": "", "target_taxonomy": two.pk})
    assert CategoryMapping.objects.get(source=glue).kind == "removed"
    assert b"Glue" in staff.get(f"{MAPPINGS}?q=glue").content
    refused = staff.post(f"{MAPPINGS}propose/", {"source": one.pk, "target": one.pk}, follow=True)
    assert b"mapped to another" in refused.content


def test_products_are_carried_over_and_back(
    staff: Client, versions: tuple[Taxonomy, Taxonomy], make_product: MakeProduct
) -> None:
    one, two = versions
    mapping.propose(one, two)
    saw, glue = (make_product(one.categories.get(code=code)) for code in ("saws", "glue"))
    url = f"{TAXONOMIES}{two.pk}/carry/"
    page = staff.get(f"{url}?source={one.pk}").content.decode()
    assert "Of 2 products 1 would be carried over, and 1 in 1 categories would stay" in page
    staff.post(url, {"source": one.pk, "carry": "Carry over"})
    job = work_off(Job.objects.get())
    saw.refresh_from_db()
    glue.refresh_from_db()
    assert saw.category
    assert glue.category
    assert (saw.category.taxonomy, glue.category.taxonomy) == (two, one)
    assert b"no such taxonomy or job" in staff.post(url, {"job": "none", "back": "1"}, follow=True).content
    staff.post(url, {"job": str(job.pk), "back": "Take back"})
    work_off(Job.objects.get(kind="carry_back"))
    saw.refresh_from_db()
    assert saw.category.taxonomy_id == one.pk


def test_a_version_is_made_current_and_the_one_before_again(
    staff: Client, versions: tuple[Taxonomy, Taxonomy]
) -> None:
    for chosen in reversed(versions):
        staff.post(TAXONOMIES, {"action": "make_current", "_selected_action": [chosen.pk]})
        assert Taxonomy.objects.get(is_current=True) == chosen


def test_staff_without_the_role_get_none_of_it(
    client: Client, make_user: MakeUser, versions: tuple[Taxonomy, Taxonomy]
) -> None:
    one, two = versions
    client.force_login(make_user("editor", email="clerk@example.org", is_staff=True))
    assert client.get(f"{TAXONOMIES}import/").status_code == 403
    assert client.get(f"{TAXONOMIES}{two.pk}/carry/").status_code == 403
    assert client.get(f"{MAPPINGS}propose/").status_code == 403
    assert b"Import a file" not in client.get(TAXONOMIES).content
    assert client.get(f"{TAXONOMIES}{two.pk}/changes/?since={one.pk}").status_code == 200
