"""Servers of two versions of Nexus beside each other, of which the later writes classifiers of a format of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from classification import engine
from classification.engine import artefact
from classification.models import Activation, Classifier
from classification.services import engines
from classification.tests.conftest import DRILL, work_off
from conftest import ClientOf
from products.models import Taxonomy

pytestmark = pytest.mark.django_db

PATH = "/api/v1/classifiers"
LATER = artefact.FORMAT_VERSION + 1

Upgrade = Callable[[bool], None]


@pytest.fixture
def client(client_of: ClientOf, administrator: User) -> Any:
    return client_of(administrator)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Upgrade:
    """Go on as a process of the later version, or of the earlier; a process begins with nothing in memory."""

    def go_on(is_later: bool) -> None:
        monkeypatch.setattr(artefact, "FORMAT_VERSION", LATER if is_later else LATER - 1)
        engines._loaded.clear()

    return go_on


@pytest.fixture
def make(taxonomy: Taxonomy) -> Callable[..., Classifier]:
    """Save a version that has learned something."""
    fitted = engine.fit(engines.categories_of(taxonomy))

    def make(version: int, status: str) -> Classifier:
        return Classifier.objects.create(
            taxonomy=taxonomy,
            version=version,
            status=status,
            taxonomy_revision=taxonomy.revision,
            training_size=version,
            artefact=fitted.to_bytes(),
        )

    return make


@pytest.fixture
def newer(taxonomy: Taxonomy, make: Callable[..., Classifier], later: Upgrade) -> Classifier:
    """The active one, of the later version; the process at work is of the earlier one."""
    Activation.objects.create(taxonomy=taxonomy, classifier=make(1, "retired"), reason="person")
    later(True)
    newer = make(2, "active")
    later(False)
    return newer


def answering(client: Any) -> int:
    """The version that answers in this process."""
    answer = client.post("/api/v1/classify", {"name": DRILL}, format="json").json()
    assert answer["results"]["results"][0]["category"]["code"] == "tools.drills"
    version: int = answer["classifier"]["version"]
    return version


def test_an_earlier_process_answers_with_what_it_can_read_and_the_newer_one_stays_active(
    client: Any, newer: Classifier, later: Upgrade
) -> None:
    for is_later, version in ((False, 1), (True, 2), (False, 1), (True, 2)):
        later(is_later)
        assert answering(client) == version
        told = client.get("/status").json()["classifiers"]["shop"]
        assert (told["version"], told["answers_here"]) == (2, version)
    newer.refresh_from_db()
    assert (newer.status, newer.error) == ("active", "")
    assert Activation.objects.count() == 1


def test_it_says_so_once_and_not_with_every_answer(
    client: Any, newer: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        answering(client)
    assert [message for message in caplog.messages if "Upgrade the server" in message] == [
        "Version 2 was made by a later version of Nexus than this server runs. Upgrade the server. "
        "Version 1 answers here"
    ]


def test_without_one_that_it_can_read_the_names_of_the_categories_answer_and_are_kept_once(
    client: Any, newer: Classifier, later: Upgrade
) -> None:
    Classifier.objects.get(version=1).delete()
    for _ in ("one process", "another"):
        later(False)
        assert answering(client) == 3
    assert Classifier.objects.get(version=3).status == "retired"
    assert Classifier.objects.get(status="active") == newer


def test_an_earlier_process_puts_nothing_in_the_place_of_the_newer_one(
    client: Any, newer: Classifier, make: Callable[..., Classifier]
) -> None:
    candidate = make(3, "candidate")
    refused = [
        client.post(f"{PATH}/{candidate.pk}/activate"),
        client.post(f"{PATH}/{newer.pk}/return"),
    ]
    trained = client.post(PATH, {"taxonomy": "shop"}, format="json").json()
    job = work_off(str(Classifier.objects.get(pk=trained["id"]).job_id))
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (409, "classifier_too_new")
    ] * 2
    assert (job.status, "Upgrade the server" in job.error) == ("failed", True)
    assert Classifier.objects.get(status="active") == newer


def test_jobs_of_one_version_are_worked_off_by_the_other(
    client: Any, newer: Classifier, later: Upgrade
) -> None:
    def batch() -> str:
        body = {"items": [{"name": DRILL}]}
        job_id: str = client.post("/api/v1/classify/batch", body, format="json").json()["job_id"]
        return job_id

    of_earlier = batch()
    later(True)
    of_later = batch()
    assert work_off(of_earlier).status == "succeeded"
    later(False)
    assert work_off(of_later).status == "succeeded"
