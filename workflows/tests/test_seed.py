"""``manage.py seed``."""

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from accounts.models import User
from products.models import Category, Product, Taxonomy
from workflows.demo import DEMO_WORKFLOWS
from workflows.models import Workflow, WorkflowVersion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roles")]


def seed() -> str:
    out = StringIO()
    call_command("seed", stdout=out)
    return out.getvalue()


def rows() -> list[int]:
    return [model.objects.count() for model in (User, Category, Product, Workflow, WorkflowVersion)]


def test_it_loads_a_taxonomy_products_workflows_and_a_user_for_each_role() -> None:
    seed()
    assert Category.objects.filter(is_leaf=True).count() >= 250
    assert Product.objects.count() >= 500
    assert Workflow.objects.count() == len(DEMO_WORKFLOWS)
    assert sorted(role for user in User.objects.all() for role in user.roles) == [
        "administrator",
        "editor",
        "reviewer",
        "viewer",
    ]


def test_a_second_run_changes_nothing_and_says_so() -> None:
    seed()
    before = rows(), list(Product.objects.values_list("updated_at", flat=True))
    assert "nothing has changed" in seed()
    assert (rows(), list(Product.objects.values_list("updated_at", flat=True))) == before


def test_what_people_have_changed_stays() -> None:
    seed()
    workflow = Workflow.objects.earliest("id")
    Workflow.objects.filter(pk=workflow.pk).update(enabled=False)
    seed()
    workflow.refresh_from_db()
    assert not workflow.enabled


def test_a_taxonomy_that_is_no_longer_current_stays_so() -> None:
    seed()
    Taxonomy.objects.update(is_current=False)
    assert "nothing has changed" in seed()
    assert not Taxonomy.objects.filter(is_current=True).exists()


def test_production_gets_no_demo_users(settings: LazySettings) -> None:
    settings.DEMO_PASSWORD = None
    assert "No demo users" in seed()
    assert not User.objects.exists()
