"""Reasons of batches are worked out when somebody asks for them."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from classification.models import Classification, Classifier
from classification.services import classify
from classification.services.answers import explain_all
from classification.tests.conftest import DRILL, work_off
from conftest import ClientOf
from products.models import Category

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(categories: dict[str, Category], editor: User) -> Classification:
    """An answer of a batch, as it was kept."""
    job = classify.classify_items([{"name": DRILL}], chosen=classify.options(), user_id=editor.pk)
    work_off(str(job.pk))
    return Classification.objects.get()


def result_of(answer: Classification, client: Any) -> dict[str, Any]:
    """An answer as the API shows it."""
    body = client.get(f"/api/v1/classify/{answer.job_id}").json()
    result: dict[str, Any] = body["results"]["results"][0]
    return result


def test_they_are_not_kept_and_are_those_of_an_answer_given_at_once(
    answer: Classification, client_of: ClientOf, editor: User
) -> None:
    client: Any = client_of(editor)
    assert answer.explanation is None
    at_once = client.post("/api/v1/classify", {"name": DRILL}, format="json").json()["results"]["results"][0]
    shown = result_of(answer, client)
    assert shown["explanation"]
    for name in ("explanation", "contrast", "similar"):
        assert shown[name] == at_once[name]


def test_staff_see_them_too(answer: Classification, client: Client, administrator: User) -> None:
    client.force_login(administrator)
    page = client.get(f"/admin/classification/classification/{answer.pk}/change/").content.decode()
    explain_all([answer])
    assert answer.explanation
    assert "{term} ({weight})".format(**answer.explanation[0]) in page


def test_an_answer_whose_classifier_was_deleted_has_none(
    answer: Classification, client_of: ClientOf, editor: User
) -> None:
    Classifier.objects.all().delete()
    shown = result_of(answer, client_of(editor))
    assert (shown["explanation"], shown["contrast"], shown["similar"]) == ([], [], [])
    assert shown["category"]["code"] == "tools.drills"


def test_texts_come_through_copy_unchanged(categories: dict[str, Category], editor: User) -> None:
    odd = {
        "name": 'a\tb\\n\n"c"\r\\.',
        "description": "\\N",
        "attributes": {"a\\": "x\ny", "n": 2**70, "f": 0.5, "b": True, "none": None},
    }
    job = classify.classify_items([odd], chosen=classify.options(), user_id=editor.pk)
    work_off(str(job.pk))
    assert Classification.objects.get().input == odd
