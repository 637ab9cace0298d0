"""``/api/v1/classifiers``: versions, training, activation, comparison."""

from typing import Any

import pytest

from accounts.models import User
from classification.models import Classifier
from classification.tests.conftest import DRILL, GLOVES, MakeProduct, work_off
from conftest import ClientOf
from products.models import Category

pytestmark = pytest.mark.django_db

PATH = "/api/v1/classifiers"


@pytest.fixture
def client(client_of: ClientOf, administrator: User, categories: dict[str, Category]) -> Any:
    return client_of(administrator)


def trained(client: Any) -> dict[str, Any]:
    """A candidate, trained."""
    body = client.post(PATH, {"taxonomy": "shop"}, format="json").json()
    work_off(body["job_id"])
    result: dict[str, Any] = client.get(f"{PATH}/{body['id']}").json()
    return result


def test_training_is_accepted_and_makes_a_candidate(
    client: Any, make_product: MakeProduct, categories: dict[str, Category]
) -> None:
    make_product(DRILL, category=categories["tools.drills"], category_source="manual")
    answer = client.post(PATH, {"taxonomy": "shop"}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (202, "training")
    work_off(answer.json()["job_id"])
    body = client.get(f"{PATH}/{answer.json()['id']}").json()
    assert (body["status"], body["training_size"], body["taxonomy"]) == ("candidate", 1, "shop")
    assert "accuracy" in body["metrics"]


def test_answers_of_machines_are_not_learned_from(
    client: Any, make_product: MakeProduct, categories: dict[str, Category]
) -> None:
    make_product(DRILL, category=categories["tools.drills"], category_source="automatic")
    assert trained(client)["training_size"] == 0


def test_one_training_of_a_taxonomy_at_a_time(client: Any) -> None:
    client.post(PATH, {"taxonomy": "shop"}, format="json")
    answer = client.post(PATH, {"taxonomy": "shop"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "training_runs")


def test_a_cancelled_training_stands_in_nobodys_way(client: Any) -> None:
    body = client.post(PATH, {"taxonomy": "shop"}, format="json").json()
    assert client.post(f"/api/v1/jobs/{body['job_id']}/cancel").status_code == 202
    cancelled = client.get(f"{PATH}/{body['id']}").json()
    assert (cancelled["status"], cancelled["error"]) == ("failed", "The training was cancelled.")
    assert trained(client)["status"] == "candidate"


def test_a_cancelled_training_can_be_taken_up_again(client: Any) -> None:
    body = client.post(PATH, {"taxonomy": "shop"}, format="json").json()
    client.post(f"/api/v1/jobs/{body['job_id']}/cancel")
    assert client.post(f"/api/v1/jobs/{body['job_id']}/retry").status_code == 202
    work_off(body["job_id"])
    assert client.get(f"{PATH}/{body['id']}").json()["status"] == "candidate"


def test_a_cancelled_training_is_not_taken_up_beside_another(client: Any) -> None:
    body = client.post(PATH, {"taxonomy": "shop"}, format="json").json()
    client.post(f"/api/v1/jobs/{body['job_id']}/cancel")
    client.post(PATH, {"taxonomy": "shop"}, format="json")
    answer = client.post(f"/api/v1/jobs/{body['job_id']}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "training_runs")


def test_an_activated_classifier_answers_at_once(client: Any) -> None:
    client.post("/api/v1/classify", {"name": DRILL}, format="json")
    candidate = trained(client)
    body = client.post(f"{PATH}/{candidate['id']}/activate").json()
    assert body["status"] == "active"
    answered = client.post("/api/v1/classify", {"name": DRILL}, format="json").json()
    assert answered["classifier"] == {"id": candidate["id"], "version": candidate["version"]}
    assert Classifier.objects.filter(status="active").count() == 1


def test_the_one_before_can_be_activated_again(client: Any) -> None:
    client.post("/api/v1/classify", {"name": DRILL}, format="json")
    first = Classifier.objects.get()
    client.post(f"{PATH}/{trained(client)['id']}/activate")
    assert client.post(f"{PATH}/{first.pk}/activate").json()["status"] == "active"


def test_what_is_still_in_training_cannot_be_activated(client: Any) -> None:
    body = client.post(PATH, {"taxonomy": "shop"}, format="json").json()
    answer = client.post(f"{PATH}/{body['id']}/activate")
    assert (answer.status_code, answer.json()["code"]) == (409, "classifier_state")


def test_two_classifiers_are_compared_on_products(client: Any, make_product: MakeProduct) -> None:
    make_product(DRILL)
    make_product(GLOVES)
    client.post("/api/v1/classify", {"name": DRILL}, format="json")
    candidate, first = trained(client), Classifier.objects.get(version=1)
    body = client.get(f"{PATH}/{candidate['id']}/compare?with={first.pk}").json()
    assert (body["compared"], body["different"], body["differences"]) == (2, 0, [])
    assert body["with"]["id"] == first.pk


@pytest.mark.parametrize("query", ["", "?with=x", "?with=99999999999999999999"])
def test_comparing_with_nonsense_is_refused(client: Any, query: str) -> None:
    assert client.get(f"{PATH}/{trained(client)['id']}/compare{query}").status_code == 400


def test_a_taxonomy_without_categories_cannot_be_trained(client: Any) -> None:
    Category.objects.all().delete()
    answer = client.post(PATH, {"taxonomy": "shop"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "taxonomy_empty")


def test_only_administrators_train_and_activate(client: Any, client_of: ClientOf, reviewer: User) -> None:
    candidate = trained(client)
    other = client_of(reviewer)
    assert other.get(PATH).json()["count"] == 1
    assert other.post(PATH, {}, format="json").status_code == 403
    assert other.post(f"{PATH}/{candidate['id']}/activate").status_code == 403


def test_a_category_that_has_gone_since_is_not_answered(client: Any, categories: dict[str, Category]) -> None:
    client.post("/api/v1/classify", {"name": DRILL}, format="json")
    assert client.delete(f"/api/v1/categories/{categories['tools.drills'].pk}").status_code == 204
    answer = client.post("/api/v1/classify", {"name": DRILL}, format="json")
    assert answer.status_code == 200
    (result,) = answer.json()["results"]["results"]
    assert "tools.drills" not in [candidate["category"]["code"] for candidate in result["candidates"]]


def test_a_category_that_is_added_is_answered_at_once_while_nothing_was_learned(
    client: Any, categories: dict[str, Category]
) -> None:
    client.post("/api/v1/classify", {"name": "angle grinder"}, format="json")
    body = {
        "taxonomy": "shop",
        "parent": categories["tools"].pk,
        "code": "tools.grinders",
        "name": "Angle grinders",
        "keywords": ["angle grinder"],
    }
    assert client.post("/api/v1/categories", body, format="json").status_code == 201
    answer = client.post("/api/v1/classify", {"name": "angle grinder"}, format="json").json()
    assert answer["results"]["results"][0]["category"]["code"] == "tools.grinders"
    assert answer["classifier"]["version"] == 2
    assert [row["status"] for row in client.get(f"{PATH}?ordering=version").json()["results"]] == [
        "retired",
        "active",
    ]


def test_one_of_a_format_that_is_no_longer_read_gives_way_to_one_that_answers(client: Any) -> None:
    old = trained(client)
    Classifier.objects.exclude(pk=old["id"]).update(status="retired")
    Classifier.objects.filter(pk=old["id"]).update(status="active", artefact=b"of an older version")
    answer = client.post("/api/v1/classify", {"name": DRILL}, format="json").json()
    assert answer["results"]["results"][0]["category"]["code"] == "tools.drills"
    assert answer["classifier"]["id"] != old["id"]
    compared = client.get(f"{PATH}/{old['id']}/compare?with={answer['classifier']['id']}")
    assert (compared.status_code, compared.json()["code"]) == (409, "classifier_unreadable")
