"""Which classifier answers: activated, taken back in one step, and noticed by every process."""

from typing import Any

import pytest

from accounts.models import User
from classification.models import Activation, Classifier
from classification.services import activation, classify, engines
from classification.tests.conftest import DRILL
from conftest import ClientOf
from products.models import Taxonomy

pytestmark = pytest.mark.django_db

PATH = "/api/v1/classifiers"


@pytest.fixture
def first(taxonomy: Taxonomy) -> Classifier:
    """The active one."""
    return Classifier.objects.get(pk=engines.active(taxonomy).id)


@pytest.fixture
def second(first: Classifier) -> Classifier:
    """A candidate that has learned something."""
    return candidate_like(first, version=2)


def candidate_like(classifier: Classifier, *, version: int) -> Classifier:
    """Another version that says the same, and has learned something."""
    return Classifier.objects.create(
        taxonomy=classifier.taxonomy,
        version=version,
        status="candidate",
        taxonomy_revision=classifier.taxonomy_revision,
        training_size=1,
        artefact=classifier.artefact,
    )


@pytest.fixture
def client(client_of: ClientOf, administrator: User) -> Any:
    return client_of(administrator)


def answering() -> int:
    """The version that answers now."""
    job, _, _ = classify.classify_one({"name": DRILL}, taxonomy="shop", user_id=None)
    version: int = job.parameters["classifier"]["version"]
    return version


def test_one_step_brings_the_version_before_back(client: Any, second: Classifier) -> None:
    assert answering() == 1
    client.post(f"{PATH}/{second.pk}/activate")
    assert answering() == 2
    answer = client.post(f"{PATH}/{second.pk}/return")
    assert (answer.status_code, answer.json()["version"], answer.json()["status"]) == (200, 1, "active")
    assert answering() == 1


def test_a_second_step_undoes_the_first(client: Any, first: Classifier, second: Classifier) -> None:
    client.post(f"{PATH}/{second.pk}/activate")
    client.post(f"{PATH}/{second.pk}/return")
    assert client.post(f"{PATH}/{first.pk}/return").json()["version"] == 2


def test_of_two_people_who_step_back_at_once_one_does(client: Any, second: Classifier) -> None:
    client.post(f"{PATH}/{second.pk}/activate")
    client.post(f"{PATH}/{second.pk}/return")
    answer = client.post(f"{PATH}/{second.pk}/return")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_active")
    assert answering() == 1


def test_before_the_first_there_was_none(client: Any, first: Classifier) -> None:
    answer = client.post(f"{PATH}/{first.pk}/return")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_before")


def test_a_reviewer_may_not_step_back(client_of: ClientOf, reviewer: User, first: Classifier) -> None:
    assert client_of(reviewer).post(f"{PATH}/{first.pk}/return").status_code == 403


def test_who_activated_what_and_why_is_kept(
    client: Any, administrator: User, first: Classifier, second: Classifier
) -> None:
    client.post(f"{PATH}/{second.pk}/activate")
    client.post(f"{PATH}/{second.pk}/return")
    kept = Activation.objects.order_by("id").values_list("classifier", "reason", "activated_by")
    assert list(kept) == [
        (first.pk, "first", None),
        (second.pk, "person", administrator.pk),
        (first.pk, "return", administrator.pk),
    ]


def test_activating_the_active_one_again_is_no_activation(first: Classifier) -> None:
    activation.activate(first, user_id=None)
    assert first.activations.count() == 1


def test_one_that_cannot_be_read_is_not_activated(client: Any, first: Classifier, second: Classifier) -> None:
    Classifier.objects.filter(pk=second.pk).update(artefact=b"damaged")
    answer = client.post(f"{PATH}/{second.pk}/activate")
    assert (answer.status_code, answer.json()["code"]) == (409, "classifier_unreadable")
    assert answering() == first.version


def test_one_that_is_damaged_gives_way_to_the_newest_sound_version_before_it(
    client: Any, second: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    third, fourth = (candidate_like(second, version=version) for version in (3, 4))
    for one in (second, third, fourth):
        client.post(f"{PATH}/{one.pk}/activate")
    whole = bytes(second.artefact or b"")
    Classifier.objects.filter(pk__in=[third.pk, fourth.pk]).update(artefact=whole[: len(whole) // 2])
    engines._loaded.clear()

    answer = client.post("/api/v1/classify", {"name": DRILL}, format="json").json()
    assert answer["classifier"] == {"id": second.pk, "version": 2}
    assert answer["results"]["results"][0]["category"]["code"] == "tools.drills"
    told = client.get("/status").json()["classifiers"]["shop"]
    assert (told["version"], told["reason"]) == (2, "repair")
    assert "The active classifier cannot be read" in caplog.messages
    assert "Version 2 answers in its place" in caplog.messages
    damaged = client.get(f"{PATH}/{fourth.pk}").json()
    assert damaged["status"] == "retired"
    assert damaged["error"].startswith("Version 4 cannot be read")


def test_a_version_that_only_this_process_has_in_memory_does_not_answer_in_place_of_a_damaged_one(
    client: Any, first: Classifier, second: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    third = candidate_like(second, version=3)
    client.post(f"{PATH}/{second.pk}/activate")
    assert answering() == 2
    client.post(f"{PATH}/{third.pk}/activate")
    Classifier.objects.filter(pk__in=[second.pk, third.pk]).update(artefact=b"damaged")
    engines._loaded.pop((third.pk, third.taxonomy.revision))
    assert answering() == 4
    for _ in ("another process", "the same one after a restart"):
        engines._loaded.clear()
        assert answering() == 4
    assert caplog.messages.count("The active classifier cannot be read") == 1


def test_a_step_back_goes_past_what_cannot_be_read(
    client: Any, first: Classifier, second: Classifier
) -> None:
    client.post(f"{PATH}/{second.pk}/activate")
    Classifier.objects.filter(pk=second.pk).update(artefact=b"damaged")
    engines._loaded.clear()
    third = engines.active(first.taxonomy)
    answer = client.post(f"{PATH}/{third.id}/return")
    assert (answer.status_code, answer.json()["version"]) == (200, first.version)


def test_one_that_can_be_read_again_tells_of_no_damage(client: Any, second: Classifier) -> None:
    Classifier.objects.filter(pk=second.pk).update(status="retired", error="Version 2 cannot be read.")
    assert client.post(f"{PATH}/{second.pk}/activate").json()["error"] == ""


def test_without_a_sound_version_before_it_the_names_of_the_categories_answer(
    client: Any, second: Classifier
) -> None:
    client.post(f"{PATH}/{second.pk}/activate")
    Classifier.objects.filter(pk=second.pk).update(artefact=b"damaged")
    engines._loaded.clear()
    answer = client.post("/api/v1/classify", {"name": DRILL}, format="json").json()
    assert answer["classifier"]["version"] == 3
    assert client.get("/status").json()["classifiers"]["shop"]["training_size"] == 0


def test_what_took_the_place_of_a_damaged_one_answers_batches_too(client: Any, second: Classifier) -> None:
    client.post(f"{PATH}/{second.pk}/activate")
    client.post(f"{PATH}/{second.pk}/return")
    Classifier.objects.filter(status="active").update(artefact=b"damaged")
    engines._loaded.clear()
    body = {"items": [{"name": DRILL}]}
    answer = client.post("/api/v1/classify/batch", body, format="json").json()
    assert answer["classifier"] == {"id": second.pk, "version": 2}
