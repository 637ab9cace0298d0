"""Rules in the admin."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from classification.models import Rule, RuleConflict
from classification.services import rule_checks
from classification.tests.conftest import DRILL, MakeProduct, work_off
from nexus.jobs.models import Job
from products.models import Category, Taxonomy

pytestmark = pytest.mark.django_db

RULES = "/admin/classification/rule/"
CONFLICTS = "/admin/classification/ruleconflict/"
CONDITIONS = [{"field": "name", "operator": "contains", "value": "drill"}]


@pytest.fixture
def staff(client: Client, administrator: User, categories: dict[str, Category]) -> Client:
    client.force_login(administrator)
    return client


@pytest.fixture
def form(categories: dict[str, Category]) -> dict[str, Any]:
    return {
        "taxonomy": Taxonomy.objects.get().pk,
        "name": "Drills",
        "conditions": json.dumps(CONDITIONS),
        "category": categories["tools.drills"].pk,
        "position": 1,
        "enabled": "on",
    }


def test_a_rule_is_made_changed_and_deleted(staff: Client, form: dict[str, Any], administrator: User) -> None:
    assert "was added successfully" in staff.post(f"{RULES}add/", form, follow=True).content.decode()
    rule = Rule.objects.get()
    assert (rule.conditions, rule.created_by) == (CONDITIONS, administrator)
    staff.post(f"{RULES}{rule.pk}/change/", form | {"position": 7}, follow=True)
    rule.refresh_from_db()
    assert rule.position == 7
    staff.post(f"{RULES}{rule.pk}/delete/", {"post": "yes"}, follow=True)
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conditions": "[]"}, "This field is required."),
        ({"conditions": "{}"}, "This field is required."),
        ({"conditions": "[5]"}, "Give a list of conditions."),
        ({"conditions": '[{"field": "name"}]'}, "A condition has field, operator, value."),
        ({"conditions": '[{"field": "x", "operator": "is", "value": "y"}]'}, "Fields are:"),
        ({"category": ""}, "A rule that is enabled has a category."),
    ],
)
def test_a_rule_that_means_nothing_is_refused_with_the_reason(
    staff: Client, form: dict[str, Any], change: dict[str, str], said: str
) -> None:
    assert said in staff.post(f"{RULES}add/", form | change, follow=True).content.decode()
    assert not Rule.objects.exists()


def test_hits_and_conflicts_are_counted_from_the_list(
    staff: Client, form: dict[str, Any], categories: dict[str, Category], make_product: MakeProduct
) -> None:
    make_product(DRILL)
    staff.post(f"{RULES}add/", form)
    staff.post(f"{RULES}add/", form | {"name": "Saws", "category": categories["tools.saws"].pk})
    chosen = {"action": "count_hits", "_selected_action": [str(Rule.objects.earliest("id").pk)]}
    assert "1 jobs begun." in staff.post(RULES, chosen, follow=True).content.decode()
    assert work_off(str(Job.objects.get(kind=rule_checks.KIND).pk)).status == "succeeded"
    assert RuleConflict.objects.count() == 1
    page = staff.get(CONFLICTS).content.decode()
    assert "Drills" in page
    assert "Saws" in page


@pytest.mark.parametrize("address", [RULES, CONFLICTS])
def test_pages_take_few_queries(
    staff: Client, form: dict[str, Any], django_assert_max_num_queries: Any, address: str
) -> None:
    for number in range(3):
        staff.post(f"{RULES}add/", form | {"name": f"Rule {number}"})
    with django_assert_max_num_queries(8):
        assert staff.get(address).status_code == 200


def test_a_reviewer_may_look_and_not_write(client: Client, make_user: Any, staff: Client, form: Any) -> None:
    staff.post(f"{RULES}add/", form)
    client.force_login(make_user("reviewer", is_staff=True))
    assert client.get(RULES).status_code == 200
    assert client.post(f"{RULES}add/", form).status_code == 403
    assert client.post(f"{RULES}{Rule.objects.get().pk}/delete/", {"post": "yes"}).status_code == 403
