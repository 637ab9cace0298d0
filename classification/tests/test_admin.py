"""Classifiers, answers and reviews in the admin."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory

from accounts.models import User
from classification.models import Classification, Classifier
from classification.services import classify, training
from classification.services.engines import taxonomy_of
from classification.tests.conftest import MakeProduct, work_off
from products.models import Category, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

ANSWERS = "/admin/classification/classification/"
CLASSIFIERS = "/admin/classification/classifier/"


@pytest.fixture
def staff(client: Client, make_user: Any) -> Client:
    """A reviewer who may use the admin."""
    client.force_login(make_user("reviewer", is_staff=True))
    return client


@pytest.fixture
def administrators(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


@pytest.fixture
def doubtful(make_product: MakeProduct) -> Classification:
    classify.classify_one({"product_id": make_product("drill saw").pk}, user_id=None)
    return Classification.objects.get()


def act(client: Client, address: str, action: str, pk: object) -> str:
    """What the page says after an action on one row."""
    answer = client.post(address, {"action": action, "_selected_action": [str(pk)]}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_queue_of_reviews_is_a_page(staff: Client, doubtful: Classification) -> None:
    page = staff.get(f"{ANSWERS}?review=open").content.decode()
    assert "drill saw" in page
    assert "1 classification" in page


def test_a_name_of_one_long_word_leaves_room_for_the_other_columns(
    staff: Client, doubtful: Classification
) -> None:
    Classification.objects.update(input={"name": "x" * 60})
    page = staff.get(f"{ANSWERS}?review=open").content.decode()
    assert "\u200b".join(["x" * 25, "x" * 25, "x" * 10]) in page


@pytest.mark.parametrize(
    ("field", "plan"), [("sku", "products_product_sku"), ("job", "classification_result_once_a_position")]
)
def test_an_answer_is_found_through_an_index_by_sku_and_by_job(
    staff: Client, doubtful: Classification, field: str, plan: str
) -> None:
    assert doubtful.product
    term = doubtful.product.sku if field == "sku" else str(doubtful.job_id)
    # Of a few rows, and of pages that earlier tests have left empty, any index will do.
    Product.objects.bulk_create(Product(sku=f"{number}", name="x") for number in range(1000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE products_product")
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "1 classification" in staff.get(ANSWERS, {"q": term}).content.decode()
    assert "0 classifications" in staff.get(ANSWERS, {"q": "no such thing"}).content.decode()
    page = admin.site.get_model_admin(Classification)
    found, _ = page.get_search_results(RequestFactory().get(ANSWERS), Classification.objects.all(), term)
    assert plan in found.explain()


def test_a_reviewer_accepts_an_answer(staff: Client, doubtful: Classification) -> None:
    assert "1 decided." in act(staff, ANSWERS, "accept_answers", doubtful.pk)
    assert Product.objects.get().category_id == doubtful.category_id


def test_a_second_decision_is_explained(staff: Client, doubtful: Classification) -> None:
    act(staff, ANSWERS, "reject_answers", doubtful.pk)
    assert "decided already" in act(staff, ANSWERS, "accept_answers", doubtful.pk)


def test_an_editor_may_look_and_not_decide(client: Client, make_user: Any, doubtful: Classification) -> None:
    client.force_login(make_user("editor", is_staff=True))
    assert "accept_answers" not in client.get(ANSWERS).content.decode()
    act(client, ANSWERS, "accept_answers", doubtful.pk)
    doubtful.refresh_from_db()
    assert doubtful.awaits_review


def test_what_somebody_else_had_classified_is_seen_only_where_it_waits_for_a_person_or_is_about_a_product(
    client: Client, make_user: Any, administrator: User, make_product: MakeProduct
) -> None:
    owner, other = make_user("editor", is_staff=True), make_user("reviewer", is_staff=True)
    certain = {"name": "cordless hammer drill 18V hammer drills"}
    job, *_ = classify.classify_one(certain, user_id=owner.pk)
    Classification.objects.update(decision=Classification.Decision.AUTO_ACCEPTED, awaits_review=False)
    classify.classify_one({"product_id": make_product("drill saw").pk}, user_id=owner.pk)

    def seen_by(user: User) -> str:
        client.force_login(user)
        return client.get(ANSWERS).content.decode()

    private = f"{ANSWERS}{Classification.objects.get(job=job).pk}/change/"
    assert "cordless" in seen_by(owner)
    assert "cordless" in seen_by(administrator)
    assert client.get(private).status_code == 200
    page = seen_by(other)
    assert "drill saw" in page
    assert "cordless" not in page
    assert client.get(private).status_code == 302


def test_an_answer_shows_what_spoke_for_it_and_cannot_be_changed(
    staff: Client, doubtful: Classification
) -> None:
    page = staff.get(f"{ANSWERS}{doubtful.pk}/change/").content.decode()
    assert doubtful.explanation
    assert doubtful.explanation[0]["term"] in page
    act(staff, ANSWERS, "reject_answers", doubtful.pk)
    assert 'name="_save"' not in staff.get(f"{ANSWERS}{doubtful.pk}/change/").content.decode()
    assert staff.post(f"{ANSWERS}{doubtful.pk}/change/", {"decision": "accepted"}).status_code == 403


def decide_on_page(client: Client, answer: Classification, **review: str) -> str:
    """What the page of an answer says after its form for the decision was sent."""
    form = {"review-TOTAL_FORMS": "1", "review-INITIAL_FORMS": "0"}
    form |= {f"review-0-{name}": value for name, value in review.items()}
    sent = client.post(f"{ANSWERS}{answer.pk}/change/", form, follow=True)
    assert sent.status_code == 200
    return sent.content.decode()


def test_a_reviewer_corrects_an_answer_on_its_page(
    staff: Client, doubtful: Classification, categories: dict[str, Category]
) -> None:
    page = staff.get(f"{ANSWERS}{doubtful.pk}/change/").content.decode()
    assert "admin-autocomplete" in page
    right = categories["safety.gloves"]
    decide_on_page(staff, doubtful, decision="correct", category=str(right.pk), note="Look closer")
    doubtful.refresh_from_db()
    assert (doubtful.decision, doubtful.review.note) == ("corrected", "Look closer")
    product = Product.objects.get()
    assert (product.category, product.category_source) == (right, "reviewed")


def test_a_correction_that_is_refused_says_why_and_decides_nothing(
    staff: Client, doubtful: Classification
) -> None:
    assert "Say which category is right." in decide_on_page(staff, doubtful, decision="correct")
    doubtful.refresh_from_db()
    assert doubtful.awaits_review


def test_who_may_only_look_has_no_form_for_the_decision(
    client: Client, make_user: Any, doubtful: Classification
) -> None:
    client.force_login(make_user("editor", is_staff=True))
    assert 'name="_save"' not in client.get(f"{ANSWERS}{doubtful.pk}/change/").content.decode()
    form = {"review-TOTAL_FORMS": "1", "review-INITIAL_FORMS": "0", "review-0-decision": "accept"}
    assert client.post(f"{ANSWERS}{doubtful.pk}/change/", form).status_code == 403


def test_an_administrator_trains_and_activates(administrators: Client, doubtful: Classification) -> None:
    first = Classifier.objects.get()
    assert "1 in training." in act(administrators, CLASSIFIERS, "train_again", first.pk)
    second = Classifier.objects.get(status="training")
    work_off(str(second.job_id))
    assert "1 activated." in act(administrators, CLASSIFIERS, "activate_classifier", second.pk)
    second.refresh_from_db()
    assert second.status == "active"


def test_an_administrator_activates_on_the_page_of_a_classifier_after_a_question(
    administrators: Client, doubtful: Classification
) -> None:
    first = Classifier.objects.get()
    act(administrators, CLASSIFIERS, "train_again", first.pk)
    second = Classifier.objects.get(status="training")
    question = f"{CLASSIFIERS}{second.pk}/activate/"
    assert question not in administrators.get(f"{CLASSIFIERS}{second.pk}/change/").content.decode()
    assert "cannot be activated" in administrators.post(question, follow=True).content.decode()
    work_off(str(second.job_id))
    assert question in administrators.get(f"{CLASSIFIERS}{second.pk}/change/").content.decode()

    page = administrators.get(question).content.decode()
    assert "in the place of version 1" in page
    assert Classifier.objects.get(status="active") == first

    page = administrators.post(question, follow=True).content.decode()
    assert "is answered by version 2 now" in page
    assert question not in page
    assert Classifier.objects.get(status="active") == second


def test_who_may_not_activate_has_no_way_to_it(staff: Client, doubtful: Classification) -> None:
    classifier = Classifier.objects.get()
    Classifier.objects.update(status="retired")
    question = f"{CLASSIFIERS}{classifier.pk}/activate/"
    assert question not in staff.get(f"{CLASSIFIERS}{classifier.pk}/change/").content.decode()
    assert staff.get(question).status_code == staff.post(question).status_code == 403


def test_a_reviewer_may_not_train(staff: Client, doubtful: Classification) -> None:
    act(staff, CLASSIFIERS, "train_again", Classifier.objects.get().pk)
    assert Classifier.objects.count() == 1


def test_the_artefact_is_never_read_for_a_page(
    administrators: Client, doubtful: Classification, django_assert_max_num_queries: Any
) -> None:
    training.train(taxonomy_of(None), user_id=None)
    active = Classifier.objects.get(status="active")
    with django_assert_max_num_queries(15) as captured:
        administrators.get(CLASSIFIERS)
        administrators.get(f"{CLASSIFIERS}{active.pk}/change/")
    assert not any('"artefact"' in query["sql"] for query in captured.captured_queries)


@pytest.mark.parametrize("address", [ANSWERS, CLASSIFIERS, "/admin/classification/review/"])
def test_pages_take_few_queries_and_count_no_further_than_ten_thousand(
    staff: Client, doubtful: Classification, django_assert_max_num_queries: Any, address: str
) -> None:
    with django_assert_max_num_queries(7) as captured:
        assert staff.get(address).status_code == 200
    counts = [query["sql"] for query in captured.captured_queries if "COUNT(*)" in query["sql"]]
    assert all("LIMIT 10000" in sql for sql in counts)
