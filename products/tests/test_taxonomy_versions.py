"""Versions side by side, the steps between them, and products carried over and back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off
from products.models import Category, CategoryMapping, Product, Taxonomy
from products.services import mapping
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow
from products.tests.conftest import MakeProduct, places

MAPPINGS = "/api/v1/mappings"
ONE = [
    CategoryRow("tools", "Tools"),
    CategoryRow("drills", "Drills", "tools"),
    CategoryRow("saws", "Saws", "tools"),
    CategoryRow("masks", "Masks", "tools"),
    CategoryRow("nails", "Nails", "tools"),
    CategoryRow("glue", "Glue", "tools"),
]
TWO = [
    CategoryRow("tools", "Tools"),
    CategoryRow("safety", "Safety"),
    CategoryRow("drills", "Power drills", "tools"),
    CategoryRow("masks", "Masks", "safety"),
    CategoryRow("nails-2", "Nails", "tools"),
    CategoryRow("saws", "Saws", "tools"),
]
Find = Callable[[str], Category]


@pytest.fixture
def one(db: None) -> Taxonomy:
    return load_taxonomy("shop", "1", "Shop", ONE)


@pytest.fixture
def two(one: Taxonomy) -> Taxonomy:
    return load_taxonomy("shop", "2", "Shop", TWO)


@pytest.fixture
def find(two: Taxonomy) -> Find:
    """A category by its code and version: ``find("saws@1")``."""

    def found(reference: str) -> Category:
        code, _, version = reference.partition("@")
        return Category.objects.select_related("taxonomy").get(code=code, taxonomy__version=version)

    return found


def codes(report: Any, kind: str, side: str = "after") -> list[str]:
    return [difference[side]["code"] for difference in report[kind]]


def steps() -> dict[str, tuple[str | None, str, bool]]:
    rows = CategoryMapping.objects.select_related("source", "target")
    return {
        row.source.code: (row.target.code if row.target else None, row.kind, row.is_decided) for row in rows
    }


def test_a_version_tells_what_it_adds_removes_moves_renames_and_recodes(
    as_viewer: APIClient, two: Taxonomy
) -> None:
    response = as_viewer.get(f"/api/v1/taxonomies/{two.pk}/changes")
    assert response.status_code == 200, response.content
    report = response.json()
    assert report["since"] == "shop@1"
    assert report["counts"] == {
        "added": 1,
        "removed": 1,
        "moved": 1,
        "renamed": 1,
        "recoded": 1,
        "unchanged": 2,
    }
    assert codes(report, "added") == ["safety"]
    assert codes(report, "removed", "before") == ["glue"]
    assert codes(report, "moved") == ["masks"]
    assert codes(report, "renamed") == ["drills"]
    assert report["recoded"][0] == {
        "before": {"code": "nails", "path": "Tools > Nails"},
        "after": {"code": "nails-2", "path": "Tools > Nails"},
    }


def test_a_comparison_says_why_it_cannot_be_made(as_viewer: APIClient, one: Taxonomy) -> None:
    url = f"/api/v1/taxonomies/{one.pk}/changes"
    assert as_viewer.get(url).json()["code"] == "no_version_before"
    load_taxonomy("other", "1", "Other", ONE)
    assert places(as_viewer.get(f"{url}?since=other@1")) == {"/query/since": "other_taxonomy"}
    assert places(as_viewer.get(f"{url}?since=shop@9")) == {"/query/since": "does_not_exist"}
    assert places(as_viewer.get(f"{url}?since=shop@1&limit=-1")) == {"/query/limit": "invalid"}


def test_the_command_writes_every_difference_as_csv(
    two: Taxonomy, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("taxonomy_changes", "shop@1", "shop@2")
    written = capsys.readouterr()
    assert "recoded,nails,Tools > Nails,nails-2,Tools > Nails" in written.out.splitlines()
    assert "1 added, 1 removed, 1 moved, 1 renamed, 1 recoded" in written.err


def test_steps_are_proposed_by_code_and_path_and_say_how_the_two_differ(
    as_administrator: APIClient, two: Taxonomy
) -> None:
    response = as_administrator.post(f"{MAPPINGS}/propose", {"source": "shop@1", "target": "shop@2"})
    assert (response.status_code, response.json()) == (200, {"code": 4, "path": 1, "name": 0})
    assert steps() == {
        "tools": ("tools", "same", True),
        "drills": ("drills", "renamed", True),
        "saws": ("saws", "same", True),
        "masks": ("masks", "moved", True),
        "nails": ("nails-2", "same", True),
    }
    again = as_administrator.post(f"{MAPPINGS}/propose", {"source": "shop@1", "target": "shop@2"})
    assert again.json() == {"code": 0, "path": 0, "name": 0}


def test_a_code_that_was_given_to_another_thing_and_a_name_alone_are_only_suggestions(
    as_administrator: APIClient, one: Taxonomy
) -> None:
    rows = [CategoryRow("all", "All"), CategoryRow("saws", "Sausages", "all")]
    load_taxonomy("shop", "2", "Shop", [*rows, CategoryRow("n", "Nails", "all")])
    as_administrator.post(f"{MAPPINGS}/propose", {"source": "shop@1", "target": "shop@2"})
    assert steps() == {"saws": ("saws", "moved", False), "nails": ("n", "moved", False)}


def test_a_person_confirms_corrects_and_adds_steps(
    as_administrator: APIClient, one: Taxonomy, two: Taxonomy, find: Find
) -> None:
    mapping.propose(one, two)
    glue = find("glue@1")
    response = as_administrator.post(MAPPINGS, {"source_id": glue.pk, "target_id": find("saws@2").pk})
    assert response.status_code == 201, response.content
    assert (response.json()["kind"], response.json()["basis"]) == ("merged", "person")
    assert steps()["saws"] == ("saws", "merged", True)
    url = f"{MAPPINGS}/{response.json()['id']}"
    removed = as_administrator.patch(url, {"target_id": None}).json()
    assert (removed["kind"], removed["target"]) == ("removed", None)
    assert steps()["saws"] == ("saws", "same", True)
    assert as_administrator.delete(url).status_code == 204
    assert "glue" not in steps()


def test_a_second_target_makes_a_split_and_the_same_one_twice_is_a_conflict(
    as_administrator: APIClient, one: Taxonomy, two: Taxonomy, find: Find
) -> None:
    mapping.propose(one, two)
    body = {"source_id": find("drills@1").pk, "target_id": find("saws@2").pk}
    assert as_administrator.post(MAPPINGS, body).json()["kind"] == "split"
    response = as_administrator.post(MAPPINGS, body)
    assert (response.status_code, response.json()["code"]) == (409, "step_taken")
    nothing = {"source_id": find("glue@1").pk, "target_id": None, "target_taxonomy": two.pk}
    assert as_administrator.post(MAPPINGS, nothing).status_code == 201
    assert as_administrator.post(MAPPINGS, nothing).status_code == 409


def test_steps_are_listed_by_what_is_open(
    as_viewer: APIClient, one: Taxonomy, two: Taxonomy, find: Find
) -> None:
    mapping.propose(one, two)
    CategoryMapping.objects.filter(source=find("saws@1")).update(is_decided=False)
    listed = as_viewer.get(f"{MAPPINGS}?source_taxonomy=shop@1&target_taxonomy=shop@2&is_decided=false")
    assert [row["source"]["code"] for row in listed.json()["results"]] == ["saws"]


def test_the_list_of_steps_takes_the_same_statements_for_any_number(
    as_viewer: APIClient, one: Taxonomy, two: Taxonomy, django_assert_max_num_queries: Any
) -> None:
    mapping.propose(one, two)
    as_viewer.get(MAPPINGS)
    with django_assert_max_num_queries(2):
        assert len(as_viewer.get(MAPPINGS).json()["results"]) == 5


def test_only_administrators_decide_and_carry(
    as_editor: APIClient, one: Taxonomy, two: Taxonomy, find: Find
) -> None:
    mapping.propose(one, two)
    step = f"{MAPPINGS}/{CategoryMapping.objects.earliest('id').pk}"
    answers = [
        as_editor.post(f"{MAPPINGS}/propose", {"source": "shop@1", "target": "shop@2"}),
        as_editor.post(MAPPINGS, {"source_id": find("glue@1").pk, "target_id": find("saws@2").pk}),
        as_editor.patch(step, {"target_id": find("saws@2").pk}),
        as_editor.delete(step),
        as_editor.post(f"/api/v1/taxonomies/{two.pk}/carry-over", {"source": "shop@1"}),
        as_editor.post(f"/api/v1/taxonomies/{two.pk}/carry-back", {"job": "0" * 32}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 6


@pytest.fixture
def carried(as_administrator: APIClient, two: Taxonomy) -> Callable[[], Job]:
    """Carry the products of version 1 over to version 2."""

    def carry() -> Job:
        response = as_administrator.post(f"/api/v1/taxonomies/{two.pk}/carry-over", {"source": "shop@1"})
        assert response.status_code == 202, response.content
        return work_off(Job.objects.get(pk=response.json()["id"]))

    return carry


def where(product: Product) -> tuple[str, str]:
    product.refresh_from_db()
    assert product.category
    return f"{product.category.code}@{product.category.taxonomy.version}", str(product.category_source)


def test_products_are_carried_along_with_who_chose_and_what_leads_nowhere_is_told(
    as_administrator: APIClient,
    one: Taxonomy,
    two: Taxonomy,
    find: Find,
    make_product: MakeProduct,
    carried: Callable[[], Job],
) -> None:
    mapping.propose(one, two)
    drill, glue = make_product(find("drills@1")), make_product(find("glue@1"))
    mask = make_product(find("masks@1"))
    Product.objects.filter(pk=mask.pk).update(category_source="automatic")
    preview = as_administrator.get(f"/api/v1/taxonomies/{two.pk}/carry-over?source=shop@1").json()
    assert (preview["carried"], preview["left"]) == (2, 1)
    assert [(row["code"], row["reason"]) for row in preview["categories"]] == [("glue", "no_target")]
    job = carried()
    assert (job.status, job.succeeded, job.failed) == ("partially_failed", 2, 1)
    assert job.reason == "Carrying of products from shop 1 to shop 2, requested through the API."
    assert (job.result["products"], job.result["left"]) == (2, {"products": 1})
    assert where(drill) == ("drills@2", "manual")
    assert where(mask) == ("masks@2", "automatic")
    assert where(glue) == ("glue@1", "manual")
    left = as_administrator.get("/api/v1/products?taxonomy=shop@1").json()
    assert [row["sku"] for row in left["results"]] == [glue.sku]
    history = as_administrator.get(f"/api/v1/products/{drill.pk}/history").json()["results"][0]
    assert (history["source"], list(history["changes"])) == ("job", ["category_id"])


def test_what_was_left_is_carried_by_a_retry_once_somebody_has_decided(
    as_administrator: APIClient,
    one: Taxonomy,
    two: Taxonomy,
    find: Find,
    make_product: MakeProduct,
    carried: Callable[[], Job],
) -> None:
    mapping.propose(one, two)
    glue = make_product(find("glue@1"))
    job = carried()
    mapping.decide(find("glue@1"), find("saws@2"), two, user_id=None)
    as_administrator.post(f"/api/v1/jobs/{job.pk}/retry")
    assert work_off(Job.objects.get(pk=job.pk)).status == "succeeded"
    assert where(glue) == ("saws@2", "manual")


def test_carrying_over_is_taken_back_but_for_what_somebody_has_decided_since(
    as_administrator: APIClient,
    one: Taxonomy,
    two: Taxonomy,
    find: Find,
    make_product: MakeProduct,
    carried: Callable[[], Job],
) -> None:
    mapping.propose(one, two)
    mapping.decide(find("glue@1"), find("saws@2"), two, user_id=None)
    saw, glue, mask = (make_product(find(f"{code}@1")) for code in ("saws", "glue", "masks"))
    job = carried()
    Product.objects.filter(pk=mask.pk).update(category=find("drills@2"))
    response = as_administrator.post(f"/api/v1/taxonomies/{two.pk}/carry-back", {"job": str(job.pk)})
    assert response.status_code == 202, response.content
    back = work_off(Job.objects.get(pk=response.json()["id"]))
    assert (back.succeeded, back.failed) == (2, 1)
    assert back.reason == (
        f"Return of the products that the job {job.pk} carried to shop 2, requested through the API."
    )
    # Both were in one category meanwhile, and each goes back to its own.
    assert [where(one)[0] for one in (saw, glue, mask)] == ["saws@1", "glue@1", "drills@2"]


def test_a_chunk_that_is_done_twice_carries_once(
    one: Taxonomy, two: Taxonomy, find: Find, make_product: MakeProduct, carried: Callable[[], Job]
) -> None:
    mapping.propose(one, two)
    saw = make_product(find("saws@1"))
    job = carried()
    from products.services.carrying import _work

    chunk = job.chunks.get(input__has_key="products")
    assert _work(job, chunk).succeeded == 1
    assert where(saw)[0] == "saws@2"


def test_steps_are_followed_one_after_the_other(
    as_administrator: APIClient, one: Taxonomy, two: Taxonomy, find: Find, make_product: MakeProduct
) -> None:
    three = load_taxonomy("shop", "3", "Shop", [*TWO[:2], CategoryRow("cutting", "Cutting", "tools")])
    mapping.propose(one, two)
    mapping.decide(find("saws@2"), find("cutting@3"), three, user_id=None)
    saw, drill = make_product(find("saws@1")), make_product(find("drills@1"))
    response = as_administrator.post(f"/api/v1/taxonomies/{three.pk}/carry-over", {"source": "shop@1"})
    job = work_off(Job.objects.get(pk=response.json()["id"]))
    assert (job.succeeded, job.failed) == (1, 1)
    assert (where(saw)[0], where(drill)[0]) == ("cutting@3", "drills@1")


def test_without_a_mapping_nothing_is_carried(as_administrator: APIClient, two: Taxonomy) -> None:
    url = f"/api/v1/taxonomies/{two.pk}/carry-over"
    assert as_administrator.get(url).json()["code"] == "no_mapping"
    assert as_administrator.post(url, {"source": "shop@1"}).json()["code"] == "no_mapping"
