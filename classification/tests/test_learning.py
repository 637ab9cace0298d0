"""What classifiers learn from, and within which limits."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from classification.models import Classification, Classifier, Review
from classification.services import (
    classify,
    comparing,
    engines,
    examples,
    policies,
    retraining,
    reviews,
    training,
)
from classification.tests.conftest import DRILL, GLOVES, MakeProduct, work_off
from nexus.celery import app
from nexus.jobs.models import Job
from products.models import Category, Product, Taxonomy
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow

pytestmark = pytest.mark.django_db


def review(item: dict[str, Any], decision: str = "correct", category: Category | None = None) -> Review:
    """A reviewer's decision about an item, whatever the classifier said."""
    job, _, _ = classify.classify_one(item, taxonomy="shop", user_id=None)
    Classification.objects.filter(job=job).update(decision="needs_review", awaits_review=True)
    answer = Classification.objects.get(job=job)
    reviews.decide(
        answer, decision=decision, category_id=category.pk if category else None, note="", user_id=None
    )
    return Review.objects.get(classification=answer)


def learned(taxonomy: Taxonomy) -> list[tuple[str, int, int | None]]:
    """Name, category and product of every example."""
    found = [one.example for one in examples.labelled(taxonomy)]
    return [(example.text.name, example.category_id, example.id) for example in found]


@pytest.mark.parametrize("source", ["manual", "imported", "reviewed"])
def test_what_people_and_suppliers_chose_is_learned(
    taxonomy: Taxonomy, make_product: MakeProduct, categories: dict[str, Category], source: str
) -> None:
    product = make_product(DRILL, category=categories["tools.saws"], category_source=source)
    assert learned(taxonomy) == [(DRILL, categories["tools.saws"].pk, product.pk)]


def test_answers_of_machines_are_never_learned(
    taxonomy: Taxonomy, make_product: MakeProduct, categories: dict[str, Category]
) -> None:
    make_product(DRILL, category=categories["tools.drills"], category_source="automatic")
    classify.classify_one({"name": GLOVES}, taxonomy="shop", user_id=None)
    assert learned(taxonomy) == []


def test_a_reviewed_text_outside_the_catalogue_is_learned(
    taxonomy: Taxonomy, categories: dict[str, Category]
) -> None:
    review({"name": "???"}, "correct", categories["tools.saws"])
    assert learned(taxonomy) == [("???", categories["tools.saws"].pk, None)]


def test_of_two_decisions_about_one_text_the_newest_counts(
    taxonomy: Taxonomy, categories: dict[str, Category]
) -> None:
    review({"name": "???"}, "correct", categories["tools.saws"])
    review({"name": "???"}, "correct", categories["tools.drills"])
    assert learned(taxonomy) == [("???", categories["tools.drills"].pk, None)]


def test_a_rejected_answer_teaches_nothing(taxonomy: Taxonomy) -> None:
    review({"name": "drill saw"}, "reject")
    assert learned(taxonomy) == []


def test_a_product_that_was_reviewed_counts_once_with_its_newest_decision(
    taxonomy: Taxonomy, make_product: MakeProduct, categories: dict[str, Category]
) -> None:
    product = make_product("drill saw")
    review({"product_id": product.pk}, "correct", categories["tools.saws"])
    assert learned(taxonomy) == [("drill saw", categories["tools.saws"].pk, product.pk)]
    Product.objects.update(category=categories["tools.drills"], category_source="manual")
    assert learned(taxonomy) == [("drill saw", categories["tools.drills"].pk, product.pk)]
    Product.objects.update(category=None, category_source=None)
    assert learned(taxonomy) == []


def test_the_review_of_a_product_that_is_labelled_elsewhere_by_now_still_counts(
    taxonomy: Taxonomy, make_product: MakeProduct, categories: dict[str, Category]
) -> None:
    product = make_product("drill saw")
    review({"product_id": product.pk}, "correct", categories["tools.saws"])
    load_taxonomy("other", "1", "Other", [CategoryRow("x", "X")])
    Product.objects.update(category=Category.objects.get(code="x"), category_source="manual")
    assert learned(taxonomy) == [("drill saw", categories["tools.saws"].pk, product.pk)]


def test_the_review_of_a_product_that_was_deleted_still_counts(
    taxonomy: Taxonomy, make_product: MakeProduct, categories: dict[str, Category]
) -> None:
    product = make_product("drill saw")
    review({"product_id": product.pk}, "correct", categories["tools.saws"])
    product.delete()
    assert learned(taxonomy) == [("drill saw", categories["tools.saws"].pk, None)]


def test_examples_are_streamed_with_a_query_for_each_kind(
    taxonomy: Taxonomy,
    make_product: MakeProduct,
    categories: dict[str, Category],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(5):
        make_product(DRILL, category=categories["tools.drills"], category_source="manual")
    with django_assert_num_queries(4):
        assert len(list(examples.labelled(taxonomy))) == 5


def test_a_training_that_grows_too_large_fails_with_a_clear_error(
    taxonomy: Taxonomy, client_of: Any, administrator: Any, settings: Any
) -> None:
    settings.TRAINING_MEMORY_BYTES = 50 * settings.MEBIBYTE
    classifier = training.train(taxonomy, user_id=administrator.pk)
    job = work_off(str(classifier.job_id))
    classifier.refresh_from_db()
    assert (classifier.status, job.status) == ("failed", "failed")
    assert classifier.error == job.error == "The training needed more memory than the 50 MB that it may have."
    settings.TRAINING_MEMORY_BYTES = 4096 * settings.MEBIBYTE
    assert client_of(administrator).post(f"/api/v1/jobs/{job.pk}/retry").status_code == 202
    work_off(str(job.pk))
    classifier.refresh_from_db()
    assert (classifier.status, classifier.error) == ("candidate", "")


def test_a_training_that_takes_too_long_is_ended(taxonomy: Taxonomy, settings: Any) -> None:
    settings.TRAINING_SECONDS = 0
    classifier = training.train(taxonomy, user_id=None)
    work_off(str(classifier.job_id))
    classifier.refresh_from_db()
    assert classifier.error == "The training took longer than 0 seconds."


def test_training_waits_in_a_queue_of_its_own(
    taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr("nexus.jobs.messages.send", lambda job_id, **options: sent.append(options))
    with django_capture_on_commit_callbacks(execute=True):
        training.train(taxonomy, user_id=None)
    assert sent == [{"queue": "training", "soft_time_limit": 4200, "time_limit": 4260}]


def test_everything_that_the_clock_asks_for_is_there() -> None:
    app.autodiscover_tasks(force=True)
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


# --- Retraining by itself


@pytest.fixture
def labelled(make_product: MakeProduct, categories: dict[str, Category]) -> Product:
    return make_product(DRILL, category=categories["tools.drills"], category_source="manual")


@pytest.fixture
def night(taxonomy: Taxonomy) -> None:
    """The moment of the schedule has come since it was last considered."""
    policy = policies.locked_policy(taxonomy)
    type(policy).objects.update(
        retraining_considered_at=F("retraining_considered_at") - timedelta(days=1, hours=1)
    )


def trained(taxonomy: Taxonomy, **fields: Any) -> Classifier:
    """A version that was trained on what there is at this moment."""
    return Classifier.objects.create(
        taxonomy=taxonomy,
        version=1,
        taxonomy_revision=taxonomy.revision,
        artefact=b"-",
        fingerprint=examples.fingerprint(taxonomy, 0.95),
        **{"status": "candidate", **fields},
    )


@pytest.mark.usefixtures("labelled", "night")
def test_at_night_a_new_version_is_trained_and_once(taxonomy: Taxonomy) -> None:
    assert retraining.retrain_where_due() == 1
    classifier = Classifier.objects.get(status="training")
    work_off(str(classifier.job_id))
    classifier.refresh_from_db()
    assert classifier.training_size == 1
    assert classifier.fingerprint == examples.fingerprint(taxonomy, 0.95)
    Product.objects.update(name="Another drill")
    assert retraining.retrain_where_due() == 0


@pytest.mark.usefixtures("labelled", "night")
def test_nothing_is_trained_while_nothing_has_changed(taxonomy: Taxonomy) -> None:
    trained(taxonomy)
    assert retraining.retrain_where_due() == 0


@pytest.mark.usefixtures("labelled")
def test_in_place_of_one_that_cannot_be_read_another_is_trained_at_once(taxonomy: Taxonomy) -> None:
    damaged = trained(taxonomy, status="active", training_size=1)
    engines.active(taxonomy)
    assert retraining.retrain_where_due() == 1
    classifier = Classifier.objects.get(status="training")
    work_off(str(classifier.job_id))
    assert retraining.retrain_where_due() == 0
    assert classifier.version > damaged.version


@pytest.mark.usefixtures("night")
def test_what_has_changed_is_trained(taxonomy: Taxonomy, labelled: Product) -> None:
    trained(taxonomy)
    Product.objects.update(name="Another drill")
    assert retraining.retrain_where_due() == 1


@pytest.mark.usefixtures("night")
def test_nothing_is_trained_while_there_is_nothing_to_learn_from() -> None:
    assert retraining.retrain_where_due() == 0


@pytest.mark.parametrize("change", ["text", "label", "taxonomy", "promise", "review"])
def test_every_change_makes_another_fingerprint(
    taxonomy: Taxonomy, labelled: Product, categories: dict[str, Category], change: str
) -> None:
    before = examples.fingerprint(taxonomy, 0.95)
    promised = 0.9 if change == "promise" else 0.95
    if change == "text":
        Product.objects.update(attributes={"voltage_v": 18})
    elif change == "label":
        Product.objects.update(category=categories["tools.saws"])
    elif change == "taxonomy":
        taxonomy.revision += 1
    elif change == "review":
        review({"name": "???"}, "correct", categories["tools.saws"])
    assert examples.fingerprint(taxonomy, promised) != before
    assert before == examples.fingerprint(Taxonomy.objects.get(), 0.95) or change in {
        "text",
        "label",
        "review",
    }


def test_enough_new_decisions_make_a_new_version(taxonomy: Taxonomy, categories: dict[str, Category]) -> None:
    policies.change(policies.locked_policy(taxonomy), {"retrain_after_decisions": 2, "retrain_cron": ""})
    review({"name": "???"}, "correct", categories["tools.saws"])
    assert retraining.retrain_where_due() == 0
    review({"name": "!!!"}, "correct", categories["tools.drills"])
    assert retraining.retrain_where_due() == 1
    why = "Training for shop 1 after 2 new decisions, as the policy of the taxonomy says."
    assert Job.objects.get(kind="train").reason == why
    Classifier.objects.filter(status="training").update(status="failed", fingerprint="of what there was")
    assert retraining.retrain_where_due() == 0


@pytest.mark.usefixtures("labelled", "night")
def test_one_training_runs_at_a_time(taxonomy: Taxonomy) -> None:
    training.train(taxonomy, user_id=None)
    assert retraining.retrain_where_due() == 0


def test_a_policy_that_says_never_is_kept(taxonomy: Taxonomy, labelled: Product) -> None:
    policies.change(policies.locked_policy(taxonomy), {"retrain_after_decisions": None, "retrain_cron": ""})
    assert retraining.retrain_where_due() == 0


# --- Activation by rule

KINDS = {
    "tools.drills": "brushless percussion borer",
    "tools.saws": "circular timber cutter",
    "safety.gloves": "knitted hand cover",
}


@pytest.fixture
def many(taxonomy: Taxonomy, categories: dict[str, Category]) -> None:
    """Labelled products in words that the taxonomy does not have: a classifier that has learned is the better one."""
    Product.objects.bulk_create(
        Product(
            sku=f"{code}-{number}",
            name=f"{words} K{number}",
            category=categories[code],
            category_source="manual",
        )
        for code, words in KINDS.items()
        for number in range(120)
    )
    policies.change(policies.locked_policy(taxonomy), {"activation": "when_not_worse"})


@pytest.mark.usefixtures("many")
def test_a_version_that_is_not_worse_on_what_neither_knows_is_activated(taxonomy: Taxonomy) -> None:
    classify.classify_one({"name": DRILL}, taxonomy="shop", user_id=None)
    work_off(str(training.train(taxonomy, user_id=None).job_id))
    first, second = Classifier.objects.order_by("version")
    assert (first.status, second.status) == ("retired", "active")
    comparison = second.comparison
    assert comparison["with"] == first.pk
    assert comparison["examples"] >= 50
    assert comparison["accuracy"] > comparison["accuracy_of_active"]
    assert second.activations.get().reason == "rule"


@pytest.mark.usefixtures("many")
def test_without_enough_new_decisions_it_stays_a_candidate(taxonomy: Taxonomy) -> None:
    trained(taxonomy, status="active", training_size=360)
    second = training.train(taxonomy, user_id=None)
    work_off(str(second.job_id))
    second.refresh_from_db()
    assert second.status == "candidate"
    assert second.comparison["reason"] == "Only 0 of 50 decisions are new to the active one."


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("confidence", "wrong", "is_not_worse"), [(0.99, 0, True), (0.99, 60, False), (0.5, 0, False)]
)
def test_one_that_is_worse_in_accuracy_or_calibration_is_not_good_enough(
    taxonomy: Taxonomy, confidence: float, wrong: int, is_not_worse: bool
) -> None:
    engines.active(taxonomy)
    trial = comparing.trial_of(taxonomy, policies.policy_of(taxonomy))
    held = [one.example for one in trial.read(examples.labelled(taxonomy)) if one.is_held]
    answers = [
        (None if number < wrong else example.category_id, confidence) for number, example in enumerate(held)
    ]
    assert trial.outcome(answers)["is_not_worse"] is is_not_worse
