"""The page from which staff export products."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from conftest import MakeUser
from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.files.tests.conftest import read
from products.filters import ProductFilterSet
from products.services import export_jobs
from products.tests.conftest import MakeProduct, Tree

PAGE = "/admin/products/product/export/"


@pytest.fixture
def staff(administrator: User, client: Client) -> Client:
    client.force_login(administrator)
    return client


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_the_page_has_every_filter_of_the_list(staff: Client, tree: Tree) -> None:
    form = staff.get(PAGE).context["form"]
    assert list(form.fields) == ["format", *ProductFilterSet.base_filters]
    assert b"hammer-drills" not in staff.get(PAGE).content


def test_it_begins_with_what_the_list_of_products_was_filtered_by(staff: Client, db: None) -> None:
    assert (
        f"{PAGE}?q=saw&amp;status__exact=draft".encode()
        in staff.get("/admin/products/product/?q=saw&status__exact=draft").content
    )
    form = staff.get(f"{PAGE}?q=saw&status__exact=draft").context["form"]
    assert (form["search"].value(), form["status"].value()) == ("saw", "draft")


def test_it_gives_the_file(staff: Client, make_product: MakeProduct, tree: Tree) -> None:
    make_product(sku="S-1", status="active")
    make_product(tree["saws"], sku="S-2", status="active")
    answer: Any = staff.post(
        PAGE, {"format": "csv", "status": "active", "category__isnull": "false", "search": ""}
    )
    assert [row["sku"] for row in read(b"".join(answer.streaming_content), "csv")] == ["S-2"]


def test_a_wrong_filter_is_told(staff: Client, db: None) -> None:
    answer = staff.post(PAGE, {"format": "csv", "category": "0"}, follow=True)
    assert len(messages(answer)) == 1


def test_a_job_writes_very_many(
    staff: Client, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_jobs, "MAX_STREAMED", 0)
    make_product(sku="S-1")
    answer = staff.post(PAGE, {"format": "jsonl"}, follow=True)
    job = work_off(Job.objects.get())
    assert job.result["file"] in messages(answer)[0]
    file: Any = staff.get(job.result["file"])
    assert [row["sku"] for row in read(b"".join(file.streaming_content), "jsonl")] == ["S-1"]


def test_staff_without_a_role_see_nothing(make_user: MakeUser, client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"format": "csv"}).status_code == 403
