"""What was measured of a classifier, in the API and for staff."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from classification.models import Classifier
from classification.services import engines
from conftest import ClientOf
from products.models import Category, Taxonomy

pytestmark = pytest.mark.django_db


@pytest.fixture
def measured(taxonomy: Taxonomy, categories: dict[str, Category]) -> Classifier:
    """The active one, with a report as the engine gives it and a category that has gone since."""
    drills, saws, gone = categories["tools.drills"].pk, categories["tools.saws"].pk, 10**9
    classifier = Classifier.objects.get(pk=engines.active(taxonomy).id)
    classifier.report = {
        "levels": [{"level": 1, "accuracy": 0.99}, {"level": 2, "accuracy": 0.9}],
        "categories": [
            {"category_id": drills, "examples": 40, "precision": 0.95, "recall": 0.875},
            {"category_id": gone, "examples": 3, "precision": None, "recall": 0.0},
        ],
        "confusions": [
            {"category_id": drills, "answered_id": saws, "count": 5},
            {"category_id": gone, "answered_id": saws, "count": 2},
        ],
        "calibration": [{"from": 0.8, "to": 1.0, "confidence": 0.93, "accuracy": 0.914, "count": 70}],
        "coverage": [{"precision": 0.95, "coverage": 0.81, "threshold": 0.7}],
    }
    classifier.save()
    return classifier


def test_it_names_the_categories(measured: Classifier, client_of: ClientOf, viewer: User) -> None:
    body = client_of(viewer).get(f"/api/v1/classifiers/{measured.pk}/report").json()
    (drills,) = body["categories"]
    assert (drills["category"]["code"], drills["examples"], drills["recall"]) == ("tools.drills", 40, 0.875)
    (confusion,) = body["confusions"]
    assert (confusion["answered"]["code"], confusion["count"]) == ("tools.saws", 5)
    assert body["calibration"] == measured.report["calibration"]
    assert body["levels"] == measured.report["levels"]
    assert body["coverage"] == measured.report["coverage"]


def test_where_nothing_was_measured_it_is_empty(
    taxonomy: Taxonomy, client_of: ClientOf, viewer: User
) -> None:
    body = client_of(viewer).get(f"/api/v1/classifiers/{engines.active(taxonomy).id}/report").json()
    assert body == {key: [] for key in ("levels", "categories", "confusions", "calibration", "coverage")}


def test_lists_and_single_classifiers_carry_the_small_figures_alone(
    measured: Classifier, client_of: ClientOf, viewer: User
) -> None:
    client: Any = client_of(viewer)
    listed = client.get("/api/v1/classifiers").json()["results"][0]
    read = client.get(f"/api/v1/classifiers/{measured.pk}").json()
    assert "report" not in listed | read | listed["metrics"]


def test_staff_read_it_as_tables(measured: Classifier, client: Client, administrator: User) -> None:
    client.force_login(administrator)
    page = client.get(f"/admin/classification/classifier/{measured.pk}/change/").content.decode()
    for shown in (
        "<td>Tools &gt; Cordless drills</td>",
        "<td>87.5%</td>",
        "80.0% to 100.0%",
        "<td>81.0%</td>",
    ):
        assert shown in page


def test_staff_step_back_and_run_beside(measured: Classifier, client: Client, administrator: User) -> None:
    client.force_login(administrator)
    address = "/admin/classification/classifier/"
    for action, said in (
        ("return_to_the_one_before", "No other classifier was active"),
        ("run_beside_the_active_one", "nothing to compare it with"),
    ):
        answer = client.post(address, {"action": action, "_selected_action": [str(measured.pk)]}, follow=True)
        assert said in answer.content.decode()


@pytest.mark.parametrize("page", ["policy", "activation", "difference", "alarm"])
def test_every_page_opens(measured: Classifier, client: Client, administrator: User, page: str) -> None:
    client.force_login(administrator)
    assert client.get(f"/admin/classification/{page}/").status_code == 200


def test_staff_write_a_policy(taxonomy: Taxonomy, client: Client, administrator: User) -> None:
    client.force_login(administrator)
    form = {
        "taxonomy": taxonomy.pk,
        "promised_precision": 0.9,
        "audit_share": 0.02,
        "retrain_after_decisions": "",
        "retrain_cron": "",
        "activation": "manual",
    }
    assert client.post("/admin/classification/policy/add/", form).status_code == 302
    assert taxonomy.policy.audit_share == 0.02
