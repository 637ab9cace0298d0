"""``POST /api/v1/classify``: one product, answered at once."""

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from classification.models import Classification
from classification.tests.conftest import DRILL, GLOVES, NONSENSE, MakeProduct, work_off
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Category, Product

pytestmark = pytest.mark.django_db

Categories = dict[str, Category]
PATH = "/api/v1/classify"


@pytest.fixture
def post(client_of: ClientOf, editor: User, categories: Categories) -> Any:
    client = client_of(editor)
    return lambda body, **headers: client.post(PATH, body, format="json", headers=headers)


def test_a_text_is_answered_at_once_with_the_finished_job(post: Any) -> None:
    answer = post({"name": DRILL})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["status"], body["total"], body["succeeded"], body["taxonomy"]) == ("succeeded", 1, 1, "shop")
    assert body["classifier"]["version"] == 1
    (result,) = body["results"]["results"]
    assert result["category"]["code"] == "tools.drills"
    assert result["category"]["path"] == "Tools > Cordless drills"
    assert result["category"]["taxonomy"] == "shop"
    assert 0 < result["confidence"] <= 1
    assert result["candidates"][0]["category"] == result["category"]
    assert result["explanation"]
    assert result["input"]["name"] == DRILL
    assert result["error"] is None


def test_the_answer_can_be_read_again(post: Any, client_of: ClientOf, editor: User) -> None:
    given = post({"name": DRILL}).json()
    read = client_of(editor).get(f"{PATH}/{given['job_id']}").json()
    assert read == given


def test_a_product_of_the_catalogue_is_classified_by_its_id(post: Any, make_product: MakeProduct) -> None:
    product = make_product(GLOVES)
    (result,) = post({"product_id": product.pk}).json()["results"]["results"]
    assert result["product_id"] == product.pk
    assert result["category"]["code"] == "safety.gloves"


def test_top_k_bounds_the_candidates(post: Any) -> None:
    (result,) = post({"name": "drill saw gloves", "top_k": 2}).json()["results"]["results"]
    assert len(result["candidates"]) == 2


def test_what_resembles_nothing_known_gets_no_category_and_needs_review(post: Any) -> None:
    (result,) = post({"name": NONSENSE}).json()["results"]["results"]
    assert (result["category"], result["confidence"], result["decision"]) == (None, 0.0, "needs_review")


def test_apply_writes_an_accepted_category_to_the_product(
    post: Any, make_product: MakeProduct, categories: Categories
) -> None:
    product = make_product("FFP3 respirator dust mask FFP3 valved")
    (result,) = post({"product_id": product.pk, "apply": True}).json()["results"]["results"]
    assert result["decision"] == "auto_accepted"
    product.refresh_from_db()
    assert (product.category, product.category_source) == (categories["safety.masks"], "automatic")


def test_without_apply_the_product_stays_as_it_is(post: Any, make_product: MakeProduct) -> None:
    product = make_product("FFP3 respirator dust mask FFP3 valved")
    post({"product_id": product.pk})
    product.refresh_from_db()
    assert product.category is None


def test_a_category_that_a_person_chose_is_never_overwritten(
    post: Any, make_product: MakeProduct, categories: Categories
) -> None:
    product = make_product(
        "FFP3 respirator dust mask FFP3 valved", category=categories["tools.saws"], category_source="manual"
    )
    post({"product_id": product.pk, "apply": True})
    product.refresh_from_db()
    assert product.category == categories["tools.saws"]


def test_who_prefers_not_to_wait_gets_a_queued_job(post: Any) -> None:
    answer = post({"name": DRILL}, Prefer="respond-async")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Location"].endswith(f"{PATH}/{answer.json()['job_id']}")
    assert work_off(answer.json()["job_id"]).status == "succeeded"


def test_a_taxonomy_can_be_named_with_its_version(post: Any) -> None:
    assert post({"name": DRILL, "taxonomy": "shop@1"}).status_code == 200
    answer = post({"name": DRILL, "taxonomy": "nowhere"})
    assert (answer.status_code, answer.json()["code"]) == (404, "taxonomy_not_found")


def test_without_any_taxonomy_the_error_says_how_to_get_one(client_of: ClientOf, editor: User) -> None:
    answer = client_of(editor).post(PATH, {"name": DRILL}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_taxonomy")
    assert "seed" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": DRILL, "top_k": 0}, "/top_k"),
        ({"name": DRILL, "top_k": 21}, "/top_k"),
        ({"name": DRILL, "top_k": 10**30}, "/top_k"),
        ({"name": DRILL, "colour": "red"}, "/colour"),
        ({"name": DRILL, "product_id": 1}, "/name"),
        ({"product_id": "x"}, "/product_id"),
        ({"product_id": 10**30}, "/product_id"),
        ({"name": DRILL, "attributes": {"a": {"b": 1}}}, "/attributes"),
        ({"name": "a\x00b"}, "/name"),
        ([], ""),
    ],
)
def test_a_wrong_body_is_refused_with_the_place(post: Any, body: object, pointer: str) -> None:
    answer = post(body)
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_an_unknown_product_is_not_found(post: Any) -> None:
    answer = post({"product_id": 123456})
    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")


def test_a_viewer_may_not_classify(client_of: ClientOf, viewer: User, taxonomy: object) -> None:
    answer = client_of(viewer).post(PATH, {"name": DRILL}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_the_same_idempotency_key_classifies_once(post: Any) -> None:
    first = post({"name": DRILL}, **{"Idempotency-Key": "a-key"})
    second = post({"name": DRILL}, **{"Idempotency-Key": "a-key"})
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Job.objects.count() == 1


def test_users_see_their_own_jobs_and_administrators_all(
    post: Any, client_of: ClientOf, reviewer: User, administrator: User
) -> None:
    job_id = post({"name": DRILL}).json()["job_id"]
    assert client_of(reviewer).get(PATH).json()["count"] == 0
    assert client_of(reviewer).get(f"{PATH}/{job_id}").status_code == 404
    assert client_of(administrator).get(PATH).json()["results"][0]["job_id"] == job_id


def test_a_products_classifications_are_kept(
    post: Any, make_product: MakeProduct, client_of: ClientOf, viewer: User
) -> None:
    product = make_product()
    post({"product_id": product.pk})
    post({"product_id": product.pk})
    body = client_of(viewer).get(f"/api/v1/products/{product.pk}/classifications").json()
    assert body["count"] == 2
    assert body["results"][0]["id"] > body["results"][1]["id"]


def test_the_classifications_of_no_product_are_not_found(client_of: ClientOf, viewer: User) -> None:
    assert client_of(viewer).get("/api/v1/products/99/classifications").status_code == 404


def test_answers_stay_when_their_product_is_deleted(post: Any, make_product: MakeProduct) -> None:
    product = make_product()
    post({"product_id": product.pk})
    Product.objects.all().delete()
    assert Classification.objects.get().product is None


def test_classifying_a_text_takes_few_queries(
    post: Any, django_assert_max_num_queries: Any, categories: Categories
) -> None:
    post({"name": DRILL})
    with django_assert_max_num_queries(2) as captured:
        post({"name": DRILL})
    assert isinstance(captured, CaptureQueriesContext)
