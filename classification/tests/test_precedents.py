"""A reviewer's decision about the same, or nearly the same, text counts from the very next answer on."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from classification.models import AnswerSources, Classification, Precedent
from classification.services import reviews
from classification.tests.conftest import ROWS, MakeProduct, work_off
from conftest import ClientOf
from products.models import Category, Product
from products.services.loading import load_taxonomy

pytestmark = pytest.mark.django_db

DOUBTFUL = "Bosch drill saw 18V blue"
NEARLY = "Bosch saw drill 12V red"
CERTAIN = "FFP3 respirator dust mask FFP3"

Classify = Callable[..., dict[str, Any]]
Decide = Callable[..., None]


@pytest.fixture
def classify(client_of: ClientOf, editor: User, categories: dict[str, Category]) -> Classify:
    """The result for a text, answered at once."""
    client = client_of(editor)

    def ask(name: str = DOUBTFUL, **more: Any) -> dict[str, Any]:
        body = {**more} if "product_id" in more else {"name": name, **more}
        answer = client.post("/api/v1/classify", body, format="json")
        assert answer.status_code == 200, answer.content
        result: dict[str, Any] = answer.json()["results"]["results"][0]
        return result

    return ask


@pytest.fixture
def decide(
    client_of: ClientOf, reviewer: User, categories: dict[str, Category], classify: Classify
) -> Decide:
    """Ask about a text, and decide about the answer."""
    client = client_of(reviewer)

    def ask_and_decide(decision: str, code: str = "", name: str = DOUBTFUL, **more: Any) -> None:
        classify(name, **more)
        answer = Classification.objects.latest("id")
        if not answer.awaits_review:
            answer.decision, answer.awaits_review = "needs_review", True
            answer.save()
        body = {"decision": decision} | ({"category_id": categories[code].pk} if code else {})
        decided = client.post(f"/api/v1/reviews/{answer.pk}", body, format="json")
        assert decided.status_code == 200, decided.content

    return ask_and_decide


def told(result: dict[str, Any]) -> tuple[str | None, str, str]:
    category = result["category"]
    return category and category["code"], result["source"], result["decision"]


def test_a_correction_answers_the_same_text_from_then_on(classify: Classify, decide: Decide) -> None:
    assert told(classify())[1:] == ("classifier", "needs_review")
    decide("correct", "safety.gloves")
    result = classify()
    assert told(result) == ("safety.gloves", "precedent", "auto_accepted")
    assert [one["category"]["code"] for one in result["candidates"]] == ["safety.gloves"]
    assert result["explanation"][0]["term"] == "The same text was decided in a review."
    # One decision, with a promise of .95 that weighs as much as two.
    assert result["confidence"] == pytest.approx(2.9 / 3, abs=1e-4)


def test_a_correction_to_a_category_above_the_leaves_answers_the_same_text(
    classify: Classify, decide: Decide
) -> None:
    decide("correct", "safety")
    found = classify()
    assert told(found) == ("safety", "precedent", "auto_accepted")


def test_an_acceptance_answers_too_and_decisions_that_agree_make_it_surer(
    classify: Classify, decide: Decide
) -> None:
    decide("accept")
    once = classify()
    decide("accept")
    assert once["source"] == "precedent"
    assert classify()["confidence"] > once["confidence"]


def test_a_decision_answers_nearly_the_same_text_of_the_same_manufacturer(
    classify: Classify, decide: Decide
) -> None:
    decide("correct", "safety.gloves", manufacturer="Bosch")
    near = classify(NEARLY, manufacturer="BOSCH")
    assert told(near) == ("safety.gloves", "precedent", "auto_accepted")
    assert near["explanation"][0]["term"] == "Nearly the same text was decided in a review."
    assert classify(NEARLY, manufacturer="Makita")["source"] == "classifier"


def test_the_newest_decision_about_the_same_text_wins(classify: Classify, decide: Decide) -> None:
    decide("correct", "safety.gloves")
    decide("correct", "tools.saws")
    assert told(classify())[0] == "tools.saws"
    assert Precedent.objects.filter(is_right=True).count() == 1


def test_nearly_the_same_texts_in_different_categories_answer_nothing_and_need_a_person(
    classify: Classify, decide: Decide
) -> None:
    name = "Acme dust mask FFP3 respirator"
    decide("correct", "safety.gloves", name=f"{name} small")
    decide("correct", "safety.masks", name=f"{name} large")
    assert told(classify(f"{name} compact")) == ("safety.masks", "classifier", "needs_review")
    assert told(classify(f"{name} small"))[0] == "safety.gloves"


def test_a_rejection_answers_nothing_and_is_not_accepted_again_without_a_person(
    classify: Classify, decide: Decide
) -> None:
    assert told(classify(CERTAIN)) == ("safety.masks", "classifier", "auto_accepted")
    decide("reject", name=CERTAIN)
    assert told(classify(CERTAIN)) == ("safety.masks", "classifier", "needs_review")
    assert told(classify(f"{CERTAIN} 20 pack"))[2] == "auto_accepted"


def test_a_rejection_takes_an_earlier_decision_back(classify: Classify, decide: Decide) -> None:
    decide("correct", "safety.gloves")
    decide("reject")
    assert classify()["source"] == "classifier"


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_about_one_text_at_once_one_counts(
    categories: dict[str, Category], reviewer: User, classify: Classify
) -> None:
    start, outcomes = threading.Barrier(2), []

    def decide_on(answer: Classification, code: str) -> None:
        start.wait()
        right = categories[code].pk
        decided = reviews.decide(answer, decision="correct", category_id=right, note="", user_id=reviewer.pk)
        outcomes.append(decided.decision)
        connection.close()

    for _ in range(2):
        classify()
    answers = Classification.objects.order_by("id")
    pairs = zip(answers, ("safety.gloves", "safety.masks"), strict=True)
    threads = [threading.Thread(target=decide_on, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["corrected", "corrected"]
    assert Precedent.objects.filter(is_right=True).count() == 1
    assert classify()["source"] == "precedent"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("18V 5 pack", "12V 3 pack"),
        ("Acme 47", "Acme 11"),
        ("Acme drill 4711", "Acme drill 4712"),
        ("Acme drill AX5", "Acme drill AX6"),
    ],
)
def test_a_number_of_a_part_is_no_size_and_one_word_says_too_little(
    classify: Classify, decide: Decide, name: str, other: str
) -> None:
    decide("correct", "safety.gloves", name=name)
    assert classify(other)["source"] == "classifier"
    assert classify(name)["source"] == "precedent"


def test_the_product_that_was_decided_is_shown_as_similar(
    classify: Classify, decide: Decide, make_product: MakeProduct
) -> None:
    product, twin = make_product(DOUBTFUL), make_product(DOUBTFUL)
    decide("correct", "safety.gloves", product_id=product.pk)
    (similar,) = classify(product_id=twin.pk)["similar"]
    assert (similar["product_id"], similar["similarity"]) == (product.pk, 1.0)


def test_decisions_count_in_jobs_that_were_accepted_before(
    classify: Classify, decide: Decide, client_of: ClientOf, editor: User
) -> None:
    job = (
        client_of(editor)
        .post("/api/v1/classify/batch", {"items": [{"name": DOUBTFUL}]}, format="json")
        .json()
    )
    decide("correct", "safety.gloves")
    work_off(job["job_id"])
    assert Classification.objects.get(job=job["job_id"]).source == "precedent"


def test_a_category_that_is_deleted_takes_its_precedents_along(
    classify: Classify, decide: Decide, categories: dict[str, Category]
) -> None:
    decide("correct", "safety.gloves")
    Product.objects.all().delete()
    categories["safety.gloves"].delete()
    assert classify()["source"] == "classifier"


def test_where_nothing_was_decided_nothing_is_looked_up(
    classify: Classify, decide: Decide, django_assert_num_queries: Any
) -> None:
    classify()
    with django_assert_num_queries(2) as without:
        classify()
    assert not AnswerSources.objects.exists()
    assert not any("FROM classification_precedent" in query["sql"] for query in without)
    decide("correct", "safety.gloves")
    with django_assert_num_queries(3):
        classify("Something else")


def test_the_precedents_of_one_taxonomy_are_not_those_of_another(
    classify: Classify, decide: Decide, taxonomy: Any
) -> None:
    decide("correct", "safety.gloves")
    load_taxonomy("other", "1", "Other", ROWS)
    assert classify(taxonomy="other")["source"] == "classifier"
