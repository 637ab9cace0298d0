"""``/api/v1/reviews``: people decide about doubtful answers."""

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from classification.models import Classification, Review
from classification.tests.conftest import DRILL, MakeProduct
from conftest import ClientOf
from products.models import Category, Product

pytestmark = pytest.mark.django_db

PATH = "/api/v1/reviews"
DOUBTFUL = "drill saw"


@pytest.fixture
def doubtful(make_product: MakeProduct, client_of: ClientOf, editor: User) -> Classification:
    """A product's answer that waits for a person."""
    product = make_product(DOUBTFUL)
    client_of(editor).post("/api/v1/classify", {"product_id": product.pk}, format="json")
    answer = Classification.objects.get()
    assert answer.awaits_review
    return answer


def decide(client: Any, answer: Classification, **body: Any) -> Any:
    return client.post(f"{PATH}/{answer.pk}", body, format="json")


def test_open_reviews_are_listed_the_least_certain_first(
    make_product: MakeProduct, client_of: ClientOf, editor: User, viewer: User
) -> None:
    client = client_of(editor)
    for name in (DOUBTFUL, "???", "saw gloves"):
        client.post("/api/v1/classify", {"product_id": make_product(name).pk}, format="json")
    results = client_of(viewer).get(PATH).json()["results"]
    confidences = [result["confidence"] for result in results]
    assert confidences == sorted(confidences)
    assert {"id", "job_id", "candidates", "review"} <= set(results[0])


def test_accepting_writes_the_category_to_the_product(
    doubtful: Classification, client_of: ClientOf, reviewer: User
) -> None:
    body = decide(client_of(reviewer), doubtful, decision="accept").json()
    assert body["decision"] == "accepted"
    assert body["review"]["decided_by"] == reviewer.pk
    product = Product.objects.get()
    assert (product.category_id, product.category_source) == (doubtful.category_id, "reviewed")


def test_correcting_writes_the_right_category(
    doubtful: Classification, client_of: ClientOf, reviewer: User, categories: dict[str, Category]
) -> None:
    right = categories["safety.gloves"]
    body = decide(
        client_of(reviewer), doubtful, decision="correct", category_id=right.pk, note="Look closer"
    ).json()
    assert (body["decision"], body["review"]["note"]) == ("corrected", "Look closer")
    assert Product.objects.get().category == right


def test_rejecting_leaves_the_product_without_a_category(
    doubtful: Classification, client_of: ClientOf, reviewer: User
) -> None:
    assert decide(client_of(reviewer), doubtful, decision="reject").json()["decision"] == "rejected"
    assert Product.objects.get().category is None


@pytest.mark.parametrize(("source", "is_kept"), [("automatic", False), ("manual", True)])
def test_rejecting_takes_back_the_category_that_was_written_automatically(
    doubtful: Classification, client_of: ClientOf, reviewer: User, source: str, is_kept: bool
) -> None:
    Product.objects.update(category=doubtful.category, category_source=source)
    decide(client_of(reviewer), doubtful, decision="reject")
    assert (Product.objects.get().category == doubtful.category) is is_kept


def test_a_decided_answer_leaves_the_queue(
    doubtful: Classification, client_of: ClientOf, reviewer: User
) -> None:
    client = client_of(reviewer)
    decide(client, doubtful, decision="reject")
    assert client.get(PATH).json()["count"] == 0


def test_the_second_decision_is_a_conflict(
    doubtful: Classification, client_of: ClientOf, reviewer: User
) -> None:
    client = client_of(reviewer)
    decide(client, doubtful, decision="reject")
    answer = decide(client, doubtful, decision="accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_decided")


def test_a_later_answer_takes_the_place_of_an_open_review(
    doubtful: Classification, client_of: ClientOf, reviewer: User
) -> None:
    client = client_of(reviewer)
    client.post("/api/v1/classify", {"product_id": doubtful.product_id}, format="json")
    assert client.get(PATH).json()["count"] == 1
    answer = decide(client, doubtful, decision="accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "superseded")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/decision"),
        ({"decision": "maybe"}, "/decision"),
        ({"decision": "correct"}, "/category_id"),
        ({"decision": "correct", "category_id": 10**12}, "/category_id"),
        ({"decision": "correct", "category_id": "x"}, "/category_id"),
        ({"decision": "reject", "category_id": 1}, "/category_id"),
        ({"decision": "accept", "why": "x"}, "/why"),
    ],
)
def test_a_wrong_decision_is_refused_with_the_place(
    doubtful: Classification, client_of: ClientOf, reviewer: User, body: dict[str, Any], pointer: str
) -> None:
    answer = decide(client_of(reviewer), doubtful, **body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_an_editor_may_not_decide(doubtful: Classification, client_of: ClientOf, editor: User) -> None:
    assert decide(client_of(editor), doubtful, decision="accept").status_code == 403


def test_who_decided_is_in_the_history_of_the_product(
    doubtful: Classification, client_of: ClientOf, reviewer: User
) -> None:
    client = client_of(reviewer)
    decide(client, doubtful, decision="accept")
    entry = client.get(f"/api/v1/products/{doubtful.product_id}/history").json()["results"][0]
    assert entry["user"]["email"] == reviewer.email


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_decides(
    doubtful: Classification, client_of: ClientOf, reviewer: User
) -> None:
    client = client_of(reviewer)
    start, statuses = threading.Barrier(2), []

    def one(decision: str) -> None:
        start.wait()
        statuses.append(decide(client, doubtful, decision=decision).status_code)
        connection.close()

    threads = [threading.Thread(target=one, args=[decision]) for decision in ("accept", "reject")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]
    assert Review.objects.count() == 1


def test_a_text_outside_the_catalogue_is_reviewed_too(
    client_of: ClientOf, reviewer: User, categories: dict[str, Category]
) -> None:
    client = client_of(reviewer)
    client.post("/api/v1/classify", {"name": "???"}, format="json")
    answer = decide(
        client, Classification.objects.get(), decision="correct", category_id=categories["tools"].pk
    )
    assert answer.status_code == 200


def test_reading_an_unknown_review_is_not_found(client_of: ClientOf, viewer: User) -> None:
    assert client_of(viewer).get(f"{PATH}/12345").status_code == 404


def test_an_answer_that_was_certain_is_no_review(
    categories: dict[str, Category], client_of: ClientOf, editor: User, reviewer: User
) -> None:
    client_of(editor).post("/api/v1/classify", {"name": "FFP3 respirator dust mask FFP3"}, format="json")
    answer = Classification.objects.get()
    assert answer.decision == "auto_accepted"
    client = client_of(reviewer)
    assert client.get(f"{PATH}/{answer.pk}").status_code == 404
    assert decide(client, answer, decision="accept").status_code == 404


def test_the_queue_takes_few_queries(
    make_product: MakeProduct, client_of: ClientOf, editor: User, django_assert_max_num_queries: Any
) -> None:
    client = client_of(editor)
    for name in (DOUBTFUL, "???", DRILL):
        client.post("/api/v1/classify", {"product_id": make_product(name).pk}, format="json")
    with django_assert_max_num_queries(3):
        client.get(PATH)
