"""``/api/v1/rules``: what people know for certain, and what it does to answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from accounts.models import User
from classification.models import Classification, Rule
from classification.services import rule_checks, rules
from classification.tests.conftest import DRILL, GLOVES, MakeProduct, work_off
from conftest import ClientOf
from nexus.jobs import services as jobs
from nexus.jobs.models import Job
from products.models import Category, Product
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rules"
Categories = dict[str, Category]
MakeRule = Callable[..., Rule]
ANY_DRILL = [{"field": "name", "operator": "contains", "value": "drill"}]


@pytest.fixture
def client(client_of: ClientOf, administrator: User, categories: Categories) -> APIClient:
    return client_of(administrator)


@pytest.fixture
def make_rule(client: APIClient, categories: Categories) -> MakeRule:
    """Make a rule through the API: ``make_rule("safety.gloves", position=2)``."""

    def make(code: str = "safety.gloves", **fields: Any) -> Rule:
        body = {
            "taxonomy": "shop",
            "name": f"Rule {Rule.objects.count()}",
            "conditions": ANY_DRILL,
            "category_id": categories[code].pk,
        }
        answer = client.post(PATH, body | fields, format="json")
        assert answer.status_code == 201, answer.content
        return Rule.objects.get(pk=answer.json()["id"])

    return make


def ask(client: APIClient, name: str = DRILL, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/classify", {"name": name, **more}, format="json")
    assert answer.status_code == 200, answer.content
    result: dict[str, Any] = answer.json()["results"]["results"][0]
    return result


def told(result: dict[str, Any]) -> tuple[str | None, str, str]:
    category = result["category"]
    return category and category["code"], result["source"], result["decision"]


# What a rule does to answers


def test_a_rule_answers_from_then_on_and_is_its_own_evidence(client: APIClient, make_rule: MakeRule) -> None:
    assert told(ask(client))[:2] == ("tools.drills", "classifier")
    rule = make_rule(name="Drills are gloves here")
    result = ask(client)
    assert told(result) == ("safety.gloves", "rule", "auto_accepted")
    assert (result["rule_id"], result["confidence"], result["level"]) == (rule.pk, 0.95, 2)
    assert result["explanation"] == [{"term": "Drills are gloves here", "weight": 1.0}]
    assert told(ask(client, GLOVES))[1] == "classifier"


def test_conditions_read_the_product_and_all_must_hold(client: APIClient, make_rule: MakeRule) -> None:
    make_rule(
        conditions=[
            {"field": "manufacturer", "operator": "is", "value": "Makita"},
            {"field": "text", "operator": "contains", "value": "combi dr*"},
            {"field": "attributes.voltage_v", "operator": ">=", "value": 18},
        ]
    )
    hit: dict[str, Any] = {"manufacturer": "MAKITA", "attributes": {"voltage_v": 18}}
    assert ask(client, **hit)["source"] == "rule"
    assert ask(client, **hit | {"attributes": {"voltage_v": 12}})["source"] == "classifier"
    assert ask(client, **hit | {"manufacturer": "Bosch"})["source"] == "classifier"


def test_the_smallest_position_decides(client: APIClient, make_rule: MakeRule) -> None:
    make_rule("safety.masks", position=5)
    first = make_rule("safety.gloves", position=2)
    assert ask(client)["rule_id"] == first.pk


def test_rules_that_contradict_each_other_leave_the_answer_to_a_person(
    client: APIClient, make_rule: MakeRule
) -> None:
    make_rule("safety.masks", name="Masks")
    make_rule("safety.gloves", name="Gloves")
    result = ask(client)
    assert (result["source"], result["decision"], result["rule_id"]) == ("rule", "needs_review", None)
    assert {one["category"]["code"] for one in result["candidates"]} == {"safety.masks", "safety.gloves"}
    assert [one["confidence"] for one in result["candidates"]] == [0.5, 0.5]
    assert {one["term"] for one in result["explanation"]} == {"Masks", "Gloves"}


def test_rules_that_contradict_each_other_are_asked_for_no_more_candidates_than_any_answer(
    client: APIClient, make_rule: MakeRule
) -> None:
    for code in ("safety.masks", "safety.gloves", "tools.saws"):
        make_rule(code)
    result = ask(client, top_k=2)
    assert [one["confidence"] for one in result["candidates"]] == [0.3333, 0.3333]
    assert len(result["explanation"]) == 3


def test_six_rules_that_contradict_each_other_are_together_never_surer_than_one(
    client: APIClient, make_rule: MakeRule, categories: Categories
) -> None:
    for code in categories:
        make_rule(code)
    found = ask(client, top_k=20)["candidates"]
    assert len(found) == 6
    assert sum(round(one["confidence"] * 10_000) for one in found) <= 10_000


def test_rules_of_one_mind_do_not_contradict_each_other(client: APIClient, make_rule: MakeRule) -> None:
    first = make_rule()
    make_rule()
    assert ask(client)["rule_id"] == first.pk


@pytest.mark.parametrize("change", [{"enabled": False}, {"conditions": [{**ANY_DRILL[0], "value": "other"}]}])
def test_a_change_of_a_rule_counts_from_the_next_answer_on(
    client: APIClient, make_rule: MakeRule, change: dict[str, Any]
) -> None:
    rule = make_rule()
    assert ask(client)["source"] == "rule"
    assert client.patch(f"{PATH}/{rule.pk}", change, format="json").status_code == 200
    assert ask(client)["source"] == "classifier"


def test_a_deleted_rule_answers_no_more_and_its_answers_stay(client: APIClient, make_rule: MakeRule) -> None:
    rule = make_rule()
    ask(client)
    assert client.delete(f"{PATH}/{rule.pk}").status_code == 204
    assert Classification.objects.get().source == "rule"
    assert ask(client)["source"] == "classifier"


def test_rules_answer_in_jobs_and_write_categories_that_no_person_chose(
    client: APIClient, make_rule: MakeRule, make_product: MakeProduct, categories: Categories
) -> None:
    make_rule()
    free, chosen = make_product(), make_product(category=categories["tools.saws"], category_source="manual")
    body = {"product_ids": [free.pk, chosen.pk], "apply": True}
    work_off(client.post("/api/v1/classify/batch", body, format="json").json()["job_id"])
    assert set(Classification.objects.values_list("source", flat=True)) == {"rule"}
    assert Product.objects.get(pk=free.pk).category == categories["safety.gloves"]
    assert Product.objects.get(pk=chosen.pk).category == categories["tools.saws"]


def test_a_rule_that_reviewers_found_wrong_sends_its_answers_to_them(
    client: APIClient, make_rule: MakeRule, categories: Categories
) -> None:
    rule = make_rule()
    ask(client, "Bosch drill")
    answer = Classification.objects.get()
    Classification.objects.update(decision="needs_review", awaits_review=True)
    right = {"decision": "correct", "category_id": categories["tools.drills"].pk}
    assert client.post(f"/api/v1/reviews/{answer.pk}", right, format="json").status_code == 200
    rule.refresh_from_db()
    assert (rule.accepted, rule.corrected) == (0, 1)
    result = ask(client)
    assert told(result) == ("safety.gloves", "rule", "needs_review")
    assert result["confidence"] == pytest.approx(1.9 / 3, abs=1e-4)
    # Of this very text a person knows better than the rule.
    assert told(ask(client, "Bosch drill")) == ("tools.drills", "precedent", "auto_accepted")


def test_rules_come_before_decisions_about_nearly_the_same_text(
    client: APIClient, make_rule: MakeRule, categories: Categories
) -> None:
    ask(client, "saw drill 18V")
    answer = Classification.objects.get()
    right = {"decision": "correct", "category_id": categories["tools.saws"].pk}
    assert client.post(f"/api/v1/reviews/{answer.pk}", right, format="json").status_code == 200
    assert told(ask(client, "saw drill 12V"))[:2] == ("tools.saws", "precedent")
    make_rule()
    assert told(ask(client, "saw drill 12V"))[:2] == ("safety.gloves", "rule")


def test_rules_are_read_once_a_process_and_change(
    client: APIClient, make_rule: MakeRule, django_assert_num_queries: Any
) -> None:
    ask(client)
    with django_assert_num_queries(2):
        ask(client)
    make_rule()
    ask(client)
    with django_assert_num_queries(2):
        assert ask(client)["source"] == "rule"


def test_a_rule_whose_category_is_deleted_is_disabled_and_says_why(
    client: APIClient, make_rule: MakeRule, categories: Categories
) -> None:
    rule = make_rule()
    address = f"/api/v1/categories/{categories['safety.gloves'].pk}"
    assert client.delete(address).status_code == 204
    body = client.get(f"{PATH}/{rule.pk}").json()
    assert (body["enabled"], body["category"]) == (False, None)
    assert body["disabled_reason"] == "Its category was deleted: Safety > Work gloves"
    assert ask(client)["source"] == "classifier"
    assert client.get(f"{PATH}/{rule.pk}/history").json()["results"][0]["changes"]["enabled"] == {
        "before": True,
        "after": False,
    }
    refused = client.patch(f"{PATH}/{rule.pk}", {"enabled": True}, format="json")
    assert refused.json()["errors"][0]["pointer"] == "/category_id"
    change = {"enabled": True, "category_id": categories["safety.masks"].pk}
    assert client.patch(f"{PATH}/{rule.pk}", change, format="json").json()["disabled_reason"] == ""


def test_a_rule_that_cannot_be_used_stops_no_other(client: APIClient, make_rule: MakeRule) -> None:
    make_rule()
    broken = make_rule()
    Rule.objects.filter(pk=broken.pk).update(conditions=[{"field": "x", "operator": "is", "value": "y"}])
    assert ask(client)["source"] == "rule"


# Writing and reading rules


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"conditions": []}, "/conditions"),
        ({"conditions": [{}]}, "/conditions/0/field"),
        ({"conditions": [{**ANY_DRILL[0], "field": "colour"}]}, "/conditions/0/field"),
        ({"conditions": [*ANY_DRILL, {**ANY_DRILL[0], "operator": "matches"}]}, "/conditions/1/operator"),
        ({"conditions": [{**ANY_DRILL[0], "value": "(a+)+$ *"}]}, "/conditions/0/value"),
        ({"conditions": [{**ANY_DRILL[0], "value": 5}]}, "/conditions/0/value"),
        ({"conditions": [{**ANY_DRILL[0], "case": True}]}, "/conditions/0/case"),
        ({"conditions": ANY_DRILL * 11}, "/conditions"),
        ({"category_id": None}, "/category_id"),
        ({"category_id": 10**9}, "/category_id"),
        ({"position": -1}, "/position"),
        ({"name": ""}, "/name"),
        ({"taxonomy": "nowhere"}, "/taxonomy"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_place(
    client: APIClient, categories: Categories, change: dict[str, Any], pointer: str
) -> None:
    body = {"taxonomy": "shop", "name": "R", "conditions": ANY_DRILL}
    body |= {"category_id": categories["tools.saws"].pk} | change
    answer = client.post(PATH, body, format="json")
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_a_category_of_another_taxonomy_is_refused_here_and_by_the_database(
    client: APIClient, make_rule: MakeRule
) -> None:
    rule = make_rule()
    other = load_taxonomy("other", "1", "Other", [CategoryRow("a", "A")]).categories.get()
    refused = client.patch(f"{PATH}/{rule.pk}", {"category_id": other.pk}, format="json")
    assert refused.json()["errors"][0]["code"] == "does_not_exist"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(category=other)


def test_the_name_of_a_rule_is_its_own_in_its_taxonomy(client: APIClient, make_rule: MakeRule) -> None:
    rule = make_rule(name="Taken")
    other = make_rule()
    answer = client.patch(f"{PATH}/{other.pk}", {"name": "Taken"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert client.patch(f"{PATH}/{rule.pk}", {"name": "Taken"}, format="json").status_code == 200


def test_there_is_a_limit_to_the_rules_of_a_taxonomy(
    client: APIClient, make_rule: MakeRule, monkeypatch: pytest.MonkeyPatch, categories: Categories
) -> None:
    make_rule()
    monkeypatch.setattr(rules, "MAX_RULES", 1)
    body = {"taxonomy": "shop", "name": "R", "conditions": ANY_DRILL, "category_id": categories["tools"].pk}
    assert client.post(PATH, body, format="json").json()["code"] == "too_many_rules"


def test_rules_are_listed_in_the_order_in_which_they_decide(client: APIClient, make_rule: MakeRule) -> None:
    last, first = make_rule(position=9), make_rule(position=1, enabled=False)
    assert [rule["id"] for rule in client.get(PATH).json()["results"]] == [first.pk, last.pk]
    assert [rule["id"] for rule in client.get(f"{PATH}?enabled=true").json()["results"]] == [last.pk]
    assert client.get(f"{PATH}?taxonomy=shop&category={last.category_id}").json()["count"] == 2
    assert client.get(f"{PATH}?search={first.name.lower()}").json()["count"] == 1


def test_a_rule_says_who_made_it_and_its_history_who_changed_it(
    client: APIClient, make_rule: MakeRule, administrator: User
) -> None:
    rule = make_rule()
    client.patch(f"{PATH}/{rule.pk}", {"position": 3}, format="json")
    assert client.get(f"{PATH}/{rule.pk}").json()["created_by"] == administrator.pk
    latest, _ = client.get(f"{PATH}/{rule.pk}/history").json()["results"]
    assert latest["changes"] == {"position": {"before": 1, "after": 3}}
    assert latest["user"]["email"] == administrator.email
    client.delete(f"{PATH}/{rule.pk}")
    assert client.get(f"{PATH}/{rule.pk}/history").json()["results"][0]["action"] == "deleted"


def test_what_is_counted_is_no_change_and_forgotten_with_one(client: APIClient, make_rule: MakeRule) -> None:
    rule = make_rule()
    Rule.objects.filter(pk=rule.pk).update(accepted=3)
    assert client.get(f"{PATH}/{rule.pk}/history").json()["count"] == 1
    client.patch(f"{PATH}/{rule.pk}", {"position": 2}, format="json")
    assert client.get(f"{PATH}/{rule.pk}").json()["accepted"] == 3
    change = {"conditions": [{**ANY_DRILL[0], "value": "saw"}]}
    assert client.patch(f"{PATH}/{rule.pk}", change, format="json").json()["accepted"] == 0


def test_conditions_are_tried_before_they_are_saved(client: APIClient, make_product: MakeProduct) -> None:
    drill, _ = make_product(DRILL), make_product(GLOVES)
    body = client.post(f"{PATH}/preview", {"conditions": ANY_DRILL}, format="json").json()
    assert (body["looked_at"], body["hits"]) == (2, 1)
    assert [(one["sku"], one["category"]) for one in body["products"]] == [(drill.sku, None)]
    assert not Rule.objects.exists()


def test_a_rule_shows_products_that_it_hits(
    client: APIClient, make_rule: MakeRule, make_product: MakeProduct, categories: Categories
) -> None:
    rule = make_rule()
    make_product(DRILL, category=categories["tools.saws"], category_source="manual")
    make_product(GLOVES)
    body = client.get(f"{PATH}/{rule.pk}/matches").json()
    assert (body["looked_at"], body["hits"]) == (2, 1)
    assert body["products"][0]["category"]["code"] == "tools.saws"


@pytest.mark.parametrize("role", ["viewer", "editor", "reviewer"])
def test_only_administrators_write_rules(
    make_rule: MakeRule, make_user: Any, client_of: ClientOf, role: str
) -> None:
    rule, other = make_rule(), client_of(make_user(role, email=f"other-{role}@example.org"))
    assert other.get(f"{PATH}/{rule.pk}").status_code == 200
    for answer in (
        other.patch(f"{PATH}/{rule.pk}", {"position": 2}, format="json"),
        other.delete(f"{PATH}/{rule.pk}"),
        other.post(PATH, {}, format="json"),
        other.post(f"{PATH}/check", {}, format="json"),
        other.post(f"{PATH}/preview", {"conditions": ANY_DRILL}, format="json"),
    ):
        assert answer.status_code == 403


# Hits and conflicts


def check(client: APIClient) -> Any:
    answer = client.post(f"{PATH}/check", {"taxonomy": "shop"}, format="json")
    assert answer.status_code == 202, answer.content
    return work_off(answer.json()["id"])


def test_hits_and_conflicts_are_counted_over_the_whole_catalogue(
    client: APIClient, make_rule: MakeRule, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classification.services.rule_checks.CHUNK_SIZE", 2)
    for name in (DRILL, "drill bit", "saw", "drill saw", GLOVES):
        make_product(name)
    one = make_rule("safety.gloves", name="Drills", position=1)
    other = make_rule(
        "safety.masks", name="Bits", position=2, conditions=[{**ANY_DRILL[0], "value": "drill bit"}]
    )
    same = make_rule("safety.gloves", name="Also")
    job = check(client)
    assert (job.status, job.processed) == ("succeeded", 5)
    assert job.reason == "Check of the rules for shop 1, requested through the API."
    hits = {rule["id"]: rule["hits"] for rule in client.get(PATH).json()["results"]}
    assert hits == {one.pk: 3, other.pk: 1, same.pk: 3}
    conflicts = client.get(f"{PATH}/conflicts?taxonomy=shop").json()["results"]
    assert [(found["first"]["id"], found["second"]["id"]) for found in conflicts] == [
        (other.pk, same.pk),
        (one.pk, other.pk),
    ]
    assert [found["products"] for found in conflicts] == [1, 1]
    assert conflicts[0]["examples"][0]["name"] == "drill bit"
    assert conflicts[1]["first"]["category"]["code"] == "safety.gloves"


def test_a_chunk_that_is_done_twice_is_counted_once(
    client: APIClient, make_rule: MakeRule, make_product: MakeProduct
) -> None:
    make_product()
    rule = make_rule()
    job = Job.objects.get(pk=client.post(f"{PATH}/check", {}, format="json").json()["id"])
    jobs.work_on(job.pk)
    chunk = job.chunks.get()
    rule_checks._work(job, chunk)
    work_off(str(job.pk))
    rule.refresh_from_db()
    assert rule.hits == 1


def test_without_products_nothing_is_hit(client: APIClient, make_rule: MakeRule) -> None:
    rule = make_rule()
    assert check(client).status == "succeeded"
    rule.refresh_from_db()
    assert rule.hits == 0


def test_a_rule_that_changed_while_it_was_counted_is_not_counted(
    client: APIClient, make_rule: MakeRule, make_product: MakeProduct
) -> None:
    make_product()
    rule = make_rule()
    job_id = client.post(f"{PATH}/check", {}, format="json").json()["id"]
    jobs.work_on(job_id)
    client.patch(f"{PATH}/{rule.pk}", {"position": 2}, format="json")
    work_off(job_id)
    rule.refresh_from_db()
    assert rule.hits is None


def test_another_condition_forgets_hits_and_conflicts(
    client: APIClient, make_rule: MakeRule, make_product: MakeProduct
) -> None:
    make_product()
    rule = make_rule("safety.gloves")
    make_rule("safety.masks")
    check(client)
    assert client.get(f"{PATH}/conflicts").json()["count"] == 1
    change = {"conditions": [{**ANY_DRILL[0], "value": "saw"}]}
    assert client.patch(f"{PATH}/{rule.pk}", change, format="json").json()["hits"] is None
    assert client.get(f"{PATH}/conflicts").json()["count"] == 0


def test_conflicts_take_few_queries(
    client: APIClient, make_rule: MakeRule, make_product: MakeProduct, django_assert_max_num_queries: Any
) -> None:
    make_product()
    for code in ("safety.gloves", "safety.masks", "tools.saws"):
        make_rule(code)
    check(client)
    with django_assert_max_num_queries(3):
        assert client.get(f"{PATH}/conflicts").json()["count"] == 3
