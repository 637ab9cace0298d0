"""What an answer tells beside its category: evidence against the runner-up, similar products, and back-off."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from classification import engine
from classification.models import Classification
from classification.services import engines
from classification.services.answers import Item, answers_to
from classification.services.sources import Sources
from classification.tests.conftest import DRILL, MakeProduct
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Category, Product

pytestmark = pytest.mark.django_db


class Predicting:
    """An engine that has one prediction for everything."""

    metrics: dict[str, float] = {}

    def __init__(self, prediction: engine.Prediction) -> None:
        self.prediction = prediction

    def predict(self, texts: Sequence[engine.Text], top_k: int) -> list[engine.Prediction]:
        return [self.prediction for _ in texts]


@pytest.fixture
def answer(editor: User, categories: dict[str, Category], make_product: MakeProduct) -> Classification:
    """An answer of an engine that has something to say about everything."""
    drills, tools = categories["tools.drills"], categories["tools"]
    decided = make_product("Makita combi drill", category=drills, category_source="manual")
    gone = make_product("Gone")
    prediction = engine.Prediction(
        drills.pk,
        0.61,
        (engine.Candidate(drills.pk, 0.61), engine.Candidate(categories["tools.saws"].pk, 0.33)),
        is_certain=False,
        reasons=engine.GivenReasons(
            (engine.Evidence("drill", 2.0),),
            contrast=(engine.Evidence("combi", 1.23456),),
            neighbours=(
                engine.Neighbour(decided.pk, drills.pk, 0.87654),
                engine.Neighbour(gone.pk, drills.pk, 0.5),
            ),
            back_off=engine.BackOff(tools.pk, 0.98765, (engine.Candidate(drills.pk, 0.61),)),
        ),
    )
    gone.delete()
    predicting: Any = Predicting(prediction)
    loaded = replace(engines.active(engines.taxonomy_of(None)), engine=predicting)
    parameters = {"taxonomy": "shop@1", "classifier": {"id": loaded.id, "version": loaded.version}}
    job = Job.objects.create(kind="classify", parameters=parameters, created_by=editor)
    (made,) = answers_to([Item(0, {"name": DRILL})], job, loaded, Sources(), top_k=5)
    made.save()
    return made


def test_a_result_tells_all_of_it(
    answer: Classification, client_of: ClientOf, editor: User, django_assert_max_num_queries: Any
) -> None:
    client = client_of(editor)
    client.get("/api/v1/classify")
    with django_assert_max_num_queries(5):
        body = client.get(f"/api/v1/classify/{answer.job_id}").json()
    (result,) = body["results"]["results"]
    assert (result["level"], result["source"], result["rule_id"]) == (2, "classifier", None)
    assert result["contrast"] == [{"term": "combi", "weight": 1.2346}]
    (similar,) = result["similar"]
    assert (similar["name"], similar["similarity"]) == ("Makita combi drill", 0.8765)
    assert similar["category"]["code"] == "tools.drills"
    assert similar["sku"] == Product.objects.get().sku
    back_off = result["back_off"]
    assert (back_off["category"]["code"], back_off["level"], back_off["confidence"]) == ("tools", 1, 0.9877)
    assert [one["category"]["code"] for one in back_off["candidates"]] == ["tools.drills"]


def test_an_export_tells_the_level_that_is_certain(
    answer: Classification, client_of: ClientOf, editor: User
) -> None:
    export: Any = client_of(editor).get(f"/api/v1/classify/{answer.job_id}/export?format=csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(export.streaming_content).decode()))
    assert (row["back_off_path"], row["back_off_confidence"]) == ("Tools", "0.9877")
    assert (row["source"], row["rule_id"]) == ("classifier", "")


def test_the_admin_shows_it(answer: Classification, client: Client, administrator: User) -> None:
    client.force_login(administrator)
    page = client.get(f"/admin/classification/classification/{answer.pk}/change/").content.decode()
    for shown in ("combi (1.2346)", "Makita combi drill", "Tools (0.9877)"):
        assert shown in page


def test_a_category_that_has_gone_is_left_out(
    answer: Classification, client_of: ClientOf, editor: User, categories: dict[str, Category]
) -> None:
    Classification.objects.update(back_off={**(answer.back_off or {}), "category_id": 10**9})
    (result,) = client_of(editor).get(f"/api/v1/classify/{answer.job_id}").json()["results"]["results"]
    assert result["back_off"] is None


def test_a_job_that_was_done_at_once_ends_after_it_began(
    client_of: ClientOf, editor: User, answer: Any
) -> None:
    body = client_of(editor).post("/api/v1/classify", {"name": DRILL}, format="json").json()
    assert body["created_at"] <= body["started_at"] <= body["finished_at"]
