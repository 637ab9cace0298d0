"""Certain answers that people look at as well, drawn by lot."""

from typing import Any

import pytest
from django.db import IntegrityError

from accounts.models import User
from classification.models import Classification
from classification.services import classify, policies
from classification.services.auditing import lots
from classification.tests.conftest import MakeProduct, work_off
from conftest import ClientOf
from products.models import Category, Product, Taxonomy

pytestmark = pytest.mark.django_db

PATH = "/api/v1/reviews"
MASK = "FFP3 respirator dust mask FFP3 valved"


@pytest.fixture
def all_audited(taxonomy: Taxonomy) -> None:
    policies.change(policies.locked_policy(taxonomy), {"audit_share": 1.0})


@pytest.fixture
def audited(all_audited: None, make_product: MakeProduct) -> Classification:
    """A certain answer about a product, written to it, that was drawn."""
    classify.classify_one({"product_id": make_product(MASK).pk}, apply=True, user_id=None)
    return Classification.objects.get()


@pytest.fixture
def client(client_of: ClientOf, reviewer: User) -> Any:
    return client_of(reviewer)


def decide(client: Any, answer: Classification, **body: Any) -> Any:
    return client.post(f"{PATH}/{answer.pk}", body, format="json")


def test_an_audited_answer_is_accepted_applied_and_waits_for_a_person(
    audited: Classification, client: Any, categories: dict[str, Category]
) -> None:
    assert (audited.decision, audited.is_audit, audited.awaits_review) == ("auto_accepted", True, True)
    assert Product.objects.get().category == categories["safety.masks"]
    (shown,) = client.get(PATH).json()["results"]
    assert (shown["id"], shown["is_audit"], shown["decision"]) == (audited.pk, True, "auto_accepted")


def test_the_queue_is_filtered_by_audits(audited: Classification, client: Any) -> None:
    classify.classify_one({"name": "drill saw"}, user_id=None)
    assert [row["is_audit"] for row in client.get(f"{PATH}?audit=true").json()["results"]] == [True]
    assert [row["is_audit"] for row in client.get(f"{PATH}?audit=false").json()["results"]] == [False]
    assert client.get(f"{PATH}?audit=maybe").status_code == 400


def test_accepting_it_makes_the_category_a_persons(audited: Classification, client: Any) -> None:
    assert decide(client, audited, decision="accept").json()["decision"] == "accepted"
    assert Product.objects.get().category_source == "reviewed"


def test_correcting_it_corrects_the_product(
    audited: Classification, client: Any, categories: dict[str, Category]
) -> None:
    right = categories["safety.gloves"]
    assert decide(client, audited, decision="correct", category_id=right.pk).json()["decision"] == "corrected"
    assert Product.objects.get().category == right


def test_rejecting_it_takes_the_category_away(audited: Classification, client: Any) -> None:
    assert decide(client, audited, decision="reject").json()["decision"] == "rejected"
    assert Product.objects.get().category is None


def test_rejecting_it_leaves_what_a_person_has_chosen_since(
    audited: Classification, client: Any, categories: dict[str, Category]
) -> None:
    Product.objects.update(category=categories["safety.gloves"], category_source="manual")
    decide(client, audited, decision="reject")
    assert Product.objects.get().category == categories["safety.gloves"]


def test_a_later_answer_takes_its_place(audited: Classification, client: Any) -> None:
    classify.classify_one({"product_id": audited.product_id}, user_id=None)
    assert client.get(PATH).json()["count"] == 1
    answer = decide(client, audited, decision="accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "superseded")


def test_none_is_drawn_where_the_share_is_none(taxonomy: Taxonomy) -> None:
    policies.change(policies.locked_policy(taxonomy), {"audit_share": 0.0})
    classify.classify_one({"name": MASK}, user_id=None)
    assert not Classification.objects.get().awaits_review


def test_a_job_draws_the_same_again_when_a_chunk_is_done_twice() -> None:
    assert lots("job", 7) == lots("job", 7) != lots("job", 8)


def test_the_lots_are_even_and_depend_on_the_secret(settings: Any) -> None:
    drawn = [lots("job", position) for position in range(2_000)]
    for which in (0, 1):
        assert 0.45 < sum(pair[which] for pair in drawn) / len(drawn) < 0.55
    assert 0 < sum(lot < 0.01 for lot, _ in drawn) < 50
    settings.SECRET_KEY = "another" * 10
    assert lots("job", 0) != drawn[0]


@pytest.mark.usefixtures("all_audited")
def test_audits_take_their_places_by_lot_among_the_doubtful(client: Any) -> None:
    names = [MASK, "drill saw"] * 10
    chosen = classify.options(taxonomy="shop")
    work_off(str(classify.classify_items([{"name": name} for name in names], chosen=chosen, user_id=None).pk))
    audits = [row["is_audit"] for row in client.get(PATH).json()["results"]]
    assert sorted(audits) == [False] * 10 + [True] * 10
    doubtful = Classification.objects.filter(is_audit=False).order_by("review_priority")
    assert all(answer.review_priority == answer.confidence for answer in doubtful)
    places = Classification.objects.filter(is_audit=True).values_list("review_priority", flat=True)
    assert len(set(places)) == 10


def test_the_database_keeps_undecided_answers_from_the_queue_unless_they_are_audits(
    audited: Classification,
) -> None:
    with pytest.raises(IntegrityError, match="awaits_review_undecided"):
        Classification.objects.update(is_audit=False)
