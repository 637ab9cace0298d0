"""What of classification goes along when a taxonomy is carried over to its next version."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from classification.models import Classification, Classifier, Policy, Precedent, Review, Rule
from classification.services import classify, examples, mapping_suggestions, reviews, rules
from classification.tests.conftest import DRILL, GLOVES, ROWS, MakeProduct, work_off
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Category, CategoryMapping, Product, Taxonomy
from products.services import mapping
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow

KEPT = [row for row in ROWS if row.code != "safety.masks"]


@pytest.fixture
def browser() -> Client:
    return Client()


@pytest.fixture
def client(client_of: ClientOf, administrator: User) -> APIClient:
    return client_of(administrator)


@pytest.fixture
def two(taxonomy: Taxonomy) -> Taxonomy:
    """A second version without masks, mapped from the first."""
    load_taxonomy("shop", "2", "Shop", KEPT)
    two = Taxonomy.objects.get(code="shop", version="2")
    mapping.propose(taxonomy, two)
    return two


def carry(client: APIClient, two: Taxonomy) -> Any:
    response = client.post(f"/api/v1/taxonomies/{two.pk}/carry-over", {"source": "shop@1"})
    assert response.status_code == 202, response.content
    return work_off(response.json()["id"])


def make_rule(taxonomy: Taxonomy, code: str, name: str) -> Rule:
    fields = {
        "taxonomy": taxonomy,
        "name": name,
        "conditions": [{"field": "name", "operator": "contains", "value": name}],
        "category_id": taxonomy.categories.get(code=code).pk,
    }
    return rules.create_rule(fields, user_id=None)


def test_rules_are_copied_and_those_whose_category_is_gone_are_told(
    client: APIClient, taxonomy: Taxonomy, two: Taxonomy
) -> None:
    make_rule(taxonomy, "tools.drills", "combi")
    gone = make_rule(taxonomy, "safety.masks", "FFP2")
    job = carry(client, two)
    assert job.status == "partially_failed"
    assert job.result["rules"] == {
        "carried": 1,
        "left": 1,
        "details": [{"id": gone.pk, "name": "FFP2", "reason": "no_target"}],
    }
    copied = Rule.objects.select_related("category").get(taxonomy=two)
    assert (copied.name, copied.enabled) == ("combi", True)
    assert copied.category == two.categories.get(code="tools.drills")
    assert Rule.objects.filter(taxonomy=taxonomy).count() == 2
    client.post(f"/api/v1/jobs/{job.pk}/retry")
    work_off(str(job.pk))
    assert Rule.objects.filter(taxonomy=two).count() == 1


def test_what_reviewers_decided_answers_in_the_new_version_too(
    client: APIClient, administrator: User, taxonomy: Taxonomy, two: Taxonomy
) -> None:
    classify.classify_one({"name": GLOVES}, taxonomy="shop@1", user_id=administrator.pk)
    answer = Classification.objects.get()
    Classification.objects.update(decision="needs_review", awaits_review=True)
    drills = taxonomy.categories.get(code="tools.drills")
    reviews.decide(answer, decision="correct", category_id=drills.pk, note="", user_id=administrator.pk)
    job = carry(client, two)
    assert (job.result["decisions"]["carried"], job.result["decisions"]["left"]) == (1, 0)
    assert Precedent.objects.get(taxonomy=two, is_right=True).category.code == "tools.drills"
    asked = client.post("/api/v1/classify", {"name": GLOVES, "taxonomy": "shop@2"}).json()
    result = asked["results"]["results"][0]
    assert (result["source"], result["category"]["code"]) == ("precedent", "tools.drills")


def test_a_decision_about_a_text_that_is_no_product_is_learned_from_in_the_new_version(
    client: APIClient, administrator: User, taxonomy: Taxonomy, two: Taxonomy
) -> None:
    classify.classify_one({"name": GLOVES}, taxonomy="shop@1", user_id=administrator.pk)
    Classification.objects.update(decision="needs_review", awaits_review=True)
    reviews.decide(
        Classification.objects.get(),
        decision="correct",
        category_id=taxonomy.categories.get(code="tools.drills").pk,
        note="",
        user_id=administrator.pk,
    )
    carry(client, two)
    learned = [(one.example.text.name, one.example.category_id) for one in examples.labelled(two)]
    assert learned == [(GLOVES, two.categories.get(code="tools.drills").pk)]
    assert examples.count_by_category(two) == {learned[0][1]: 1}


def test_a_classifier_is_trained_from_carried_labels_and_answers_when_the_version_becomes_current(
    client: APIClient, taxonomy: Taxonomy, two: Taxonomy, make_product: MakeProduct
) -> None:
    Policy.objects.create(taxonomy=taxonomy, promised_precision=0.9)
    drills = taxonomy.categories.get(code="tools.drills")
    for number in range(4):
        make_product(f"{DRILL} {number}", category=drills, category_source="manual")
    job = carry(client, two)
    assert Policy.objects.get(taxonomy=two).promised_precision == 0.9
    trained = Classifier.objects.get(pk=job.result["classifier"]["id"])
    why = f"Training for shop 2 with the labels of shop 1, as a part of the job {job.pk}."
    assert work_off(str(trained.job_id)).reason == why
    trained.refresh_from_db()
    assert (trained.status, trained.training_size) == ("candidate", 4)
    client.patch(f"/api/v1/taxonomies/{two.pk}", {"is_current": True})
    trained.refresh_from_db()
    assert trained.status == "active"
    assert client.post("/api/v1/classify", {"name": DRILL, "taxonomy": "shop"}).json()["classifier"][
        "id"
    ] == (trained.pk)
    client.patch(f"/api/v1/taxonomies/{taxonomy.pk}", {"is_current": True})
    assert Taxonomy.objects.get(code="shop", is_current=True) == taxonomy


def test_without_labels_there_is_nothing_to_train(client: APIClient, two: Taxonomy) -> None:
    assert carry(client, two).result["classifier"] == {"reason": "There are no labels to learn from."}


def test_a_taxonomy_is_deleted_with_what_was_answered_decided_and_learned_and_others_keep_theirs(
    client: APIClient, administrator: User, taxonomy: Taxonomy, two: Taxonomy
) -> None:
    for version in ("shop@1", "shop@2"):
        classify.classify_one({"name": GLOVES}, taxonomy=version, user_id=administrator.pk)
    Classification.objects.update(decision="needs_review", awaits_review=True)
    drills = taxonomy.categories.get(code="tools.drills")
    answer = Classification.objects.get(taxonomy=taxonomy)
    reviews.decide(answer, decision="correct", category_id=drills.pk, note="", user_id=administrator.pk)
    make_rule(taxonomy, "tools.drills", "combi")
    make_rule(two, "tools.drills", "combi")

    assert client.delete(f"/api/v1/taxonomies/{taxonomy.pk}").status_code == 204

    assert not Review.objects.exists()
    assert not Precedent.objects.exists()
    assert not CategoryMapping.objects.exists()
    for model in (Classification, Classifier, Rule):
        assert {row.taxonomy_id for row in model._default_manager.all()} == {two.pk}


def test_the_classifier_suggests_where_categories_may_go_and_a_person_confirms(
    client: APIClient, taxonomy: Taxonomy
) -> None:
    rows = [CategoryRow("a", "All things"), CategoryRow("g", "Nitrile gloves", "a")]
    load_taxonomy("other", "1", "Other", rows)
    response = client.post("/api/v1/mappings/suggest", {"source": "other@1", "target": "shop@1"})
    assert response.status_code == 202, response.content
    job = work_off(response.json()["id"])
    assert (job.status, job.result) == ("succeeded", {"suggestions": 1})
    assert job.reason == "Suggestions of steps from other 1 to shop 1, requested through the API."
    step = CategoryMapping.objects.select_related("target").get()
    assert step.target
    assert (step.target.code, step.basis, step.is_decided) == ("safety.gloves", "classifier", False)
    assert step.confidence is not None
    confirmed = client.patch(f"/api/v1/mappings/{step.pk}", {"target_id": step.target_id}).json()
    assert (confirmed["basis"], confirmed["is_decided"]) == ("person", True)


def test_the_command_asks_the_classifier_too(taxonomy: Taxonomy, capsys: pytest.CaptureFixture[str]) -> None:
    load_taxonomy("other", "1", "Other", [CategoryRow("g", "Nitrile gloves")])
    call_command("suggest_mappings", "other@1", "shop@1")
    assert capsys.readouterr().out.startswith("1 suggestions are open")
    assert CategoryMapping.objects.get().basis == "classifier"


def test_only_administrators_ask_for_suggestions(client_of: ClientOf, editor: User, two: Taxonomy) -> None:
    body = {"source": "shop@1", "target": "shop@2"}
    assert client_of(editor).post("/api/v1/mappings/suggest", body).status_code == 403


def test_a_persons_choice_stays_a_persons_choice(
    client: APIClient, taxonomy: Taxonomy, two: Taxonomy, make_product: MakeProduct
) -> None:
    masks: Category = taxonomy.categories.get(code="safety.masks")
    left = make_product("FFP2 mask", category=masks, category_source="reviewed")
    carried = make_product(
        DRILL, category=taxonomy.categories.get(code="tools.drills"), category_source="reviewed"
    )
    carry(client, two)
    rows = Product.objects.filter(pk__in=[left.pk, carried.pk]).order_by("pk")
    assert list(rows.values_list("category__code", "category__taxonomy__version", "category_source")) == [
        ("safety.masks", "1", "reviewed"),
        ("tools.drills", "2", "reviewed"),
    ]


def test_the_admin_asks_the_classifier_too(
    browser: Client, administrator: User, taxonomy: Taxonomy, two: Taxonomy
) -> None:
    browser.force_login(administrator)
    url = "/admin/products/categorymapping/propose/"
    assert b"Ask the classifier" in browser.get(url).content
    body = {"source": taxonomy.pk, "target": two.pk, "suggest": "Ask the classifier"}
    assert b"A job does it" in browser.post(url, body, follow=True).content
    assert Job.objects.filter(kind=mapping_suggestions.KIND).count() == 1
