"""``POST /api/v1/classify/reclassify``: exactly the products that a change touches."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from classification.models import Classification, Classifier, Rule
from classification.services.rules import create_rule, update_rule
from classification.tests.conftest import DRILL, GLOVES, ROWS, MakeProduct, work_off
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Category, Product, Taxonomy
from products.services.loading import load_taxonomy

pytestmark = pytest.mark.django_db

PATH = "/api/v1/classify/reclassify"
MASK = "FFP3 respirator dust mask FFP3 valved"
Categories = dict[str, Category]


@pytest.fixture
def client(client_of: ClientOf, editor: User, categories: Categories) -> APIClient:
    return client_of(editor)


@pytest.fixture
def rule(categories: Categories) -> Rule:
    fields = {
        "taxonomy": Taxonomy.objects.get(),
        "name": "Drills",
        "conditions": [{"field": "name", "operator": "contains", "value": "drill"}],
        "category_id": categories["safety.gloves"].pk,
    }
    return create_rule(fields, user_id=None)


def touched(client: APIClient, because: dict[str, Any], **more: Any) -> list[int]:
    """The ids of the products that were classified again; as many as a dry run had said."""
    told = client.post(PATH, {"because": because, "dry_run": True}, format="json")
    assert told.status_code == 200, told.content
    answer = client.post(PATH, {"because": because, **more}, format="json")
    assert answer.status_code == 202, answer.content
    job_id = answer.json()["job_id"]
    assert answer.headers["Location"].endswith(f"/api/v1/classify/{job_id}")
    assert work_off(job_id).status == "succeeded"
    answers = Classification.objects.filter(job=job_id).order_by("position")
    ids = list(answers.values_list("product_id", flat=True))
    assert told.json() == {"products": len(ids), "is_exact": True}
    return ids


def test_a_new_rule_touches_the_products_that_it_hits(
    client: APIClient, rule: Rule, make_product: MakeProduct, categories: Categories
) -> None:
    hit, _ = make_product(DRILL), make_product(GLOVES)
    make_product(DRILL, category=categories["tools.saws"], category_source="manual")
    assert touched(client, {"rule": rule.pk}, apply=True) == [hit.pk]
    why = f"Classification of what the rule {rule.name} touches, requested through the API."
    assert Job.objects.get().reason == why
    hit.refresh_from_db()
    assert hit.category == categories["safety.gloves"]


def test_a_dry_run_reads_a_bounded_part_of_the_catalogue_and_says_so(
    client: APIClient,
    rule: Rule,
    make_product: MakeProduct,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("classification.services.touched.TEXTS_IN_A_STEP", 3)
    for number in range(5):
        make_product(f"{DRILL} {number}")
    because = {"rule": rule.pk}
    told = client.post(PATH, {"because": because, "dry_run": True}, format="json")
    assert told.json() == {"products": 3, "is_exact": False}
    call_command("reclassify", "--rule", str(rule.pk), "--dry-run")
    assert "At least 3 products" in capsys.readouterr().out
    answer = client.post(PATH, {"because": because}, format="json")
    assert work_off(answer.json()["job_id"]).total == 5


def test_a_rule_that_was_changed_touches_what_it_hit_before_too(
    client: APIClient, rule: Rule, make_product: MakeProduct
) -> None:
    drill, gloves = make_product(DRILL), make_product(GLOVES)
    touched(client, {"rule": rule.pk})
    update_rule(rule, {"conditions": [{"field": "name", "operator": "contains", "value": "gloves"}]})
    assert touched(client, {"rule": rule.pk}) == [drill.pk, gloves.pk]


def test_a_rule_that_was_disabled_touches_what_it_hit_before(
    client: APIClient, rule: Rule, make_product: MakeProduct, categories: Categories
) -> None:
    drill = make_product(DRILL)
    touched(client, {"rule": rule.pk}, apply=True)
    update_rule(rule, {"enabled": False})
    make_product("another drill")
    assert touched(client, {"rule": rule.pk}) == [drill.pk]
    assert Classification.objects.latest("id").source == "classifier"


def test_another_classifier_touches_automatic_categories_and_open_reviews(
    client: APIClient, make_product: MakeProduct, categories: Categories
) -> None:
    automatic = make_product(MASK, category=categories["safety.masks"], category_source="automatic")
    make_product(MASK, category=categories["safety.masks"], category_source="manual")
    make_product(MASK)
    doubtful = make_product("drill saw")
    client.post("/api/v1/classify", {"product_id": doubtful.pk}, format="json")
    assert Classification.objects.get().awaits_review
    active = Classifier.objects.get(status="active")
    assert touched(client, {"classifier": active.pk}) == [automatic.pk, doubtful.pk]


def test_a_category_that_moved_touches_its_products_once(
    client: APIClient, make_product: MakeProduct, categories: Categories
) -> None:
    make_product(GLOVES)
    mask = make_product(MASK)
    body = {"filter": {}, "apply": True}
    work_off(client.post("/api/v1/classify/batch", body, format="json").json()["job_id"])
    Classification.objects.update(awaits_review=False, decision="auto_accepted")
    assert touched(client, {"taxonomy": "shop"}) == []
    moved = [row for row in ROWS if row.code != "safety.masks"]
    masks = next(row for row in ROWS if row.code == "safety.masks")
    load_taxonomy("shop", "1", "Shop", [*moved, type(masks)(masks.code, "Masks", "tools", masks.keywords)])
    assert Product.objects.get(pk=mask.pk).category_source == "automatic"
    assert touched(client, {"taxonomy": "shop"}) == [mask.pk]
    Classification.objects.update(awaits_review=False, decision="auto_accepted")
    assert touched(client, {"taxonomy": "shop"}) == []


def test_a_new_version_of_a_taxonomy_touches_the_automatic_categories_of_the_old_one(
    client: APIClient, make_product: MakeProduct, categories: Categories
) -> None:
    mask = make_product(MASK, category=categories["safety.masks"], category_source="automatic")
    make_product(MASK, category=categories["safety.masks"], category_source="imported")
    Taxonomy.objects.update(is_current=False)
    load_taxonomy("shop", "2", "Shop", ROWS)
    assert touched(client, {"taxonomy": "shop"}, apply=True) == [mask.pk]
    mask.refresh_from_db()
    assert mask.category
    assert mask.category.taxonomy.version == "2"


def test_which_products_is_settled_when_the_job_is_prepared(
    client: APIClient, rule: Rule, make_product: MakeProduct
) -> None:
    answer = client.post(PATH, {"because": {"rule": rule.pk}}, format="json")
    product = make_product(DRILL)
    job = work_off(answer.json()["job_id"])
    assert (job.total, Classification.objects.get().product) == (1, product)


@pytest.mark.parametrize(
    ("because", "pointer"),
    [
        ({}, "/because"),
        ({"rule": 1, "taxonomy": "shop"}, "/because"),
        ({"rule": 10**9}, "/because/rule"),
        ({"classifier": 10**9}, "/because/classifier"),
        ({"taxonomy": "nowhere"}, "/because/taxonomy"),
        ({"rule": "x"}, "/because/rule"),
        ({"colour": 1}, "/because/colour"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_change_that_there_was_not_is_refused_with_the_place(
    client: APIClient, because: dict[str, Any], pointer: str, dry_run: bool
) -> None:
    answer = client.post(PATH, {"because": because, "dry_run": dry_run}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Job.objects.exists()


def test_a_viewer_may_not(client_of: ClientOf, viewer: User, rule: Rule) -> None:
    body = {"because": {"rule": rule.pk}, "dry_run": True}
    assert client_of(viewer).post(PATH, body, format="json").status_code == 403


def test_the_command_says_how_many_and_does_it(
    rule: Rule, make_product: MakeProduct, categories: Categories, capsys: pytest.CaptureFixture[str]
) -> None:
    product, out = make_product(DRILL), io.StringIO()
    call_command("reclassify", "--rule", str(rule.pk), "--dry-run", stdout=out)
    assert "1 products would be" in out.getvalue()
    assert not Job.objects.exists()
    call_command("reclassify", "--rule", str(rule.pk), "--apply", stdout=out)
    why = f"Classification of what the rule {rule.name} touches, requested on the command line."
    assert f"Job {Job.objects.get().pk}: {why}" in capsys.readouterr().err
    assert "1 of 1 classified again." in out.getvalue()
    product.refresh_from_db()
    assert product.category == categories["safety.gloves"]
    with pytest.raises(CommandError, match="There is no rule 0"):
        call_command("reclassify", "--rule", "0")


def test_the_admin_begins_it_for_rules_and_classifiers(
    client: Any, rule: Rule, make_product: MakeProduct, administrator: User
) -> None:
    client.post("/api/v1/classify", {"product_id": make_product(DRILL).pk}, format="json")
    browser = Client()
    browser.force_login(administrator)
    for model, pk in (("rule", rule.pk), ("classifier", Classifier.objects.get().pk)):
        form = {"action": "classify_again", "_selected_action": [str(pk)]}
        page = browser.post(f"/admin/classification/{model}/", form, follow=True).content.decode()
        assert "1 jobs begun." in page
    queued = Job.objects.filter(status="queued")
    assert {job.reason.rpartition(", ")[2] for job in queued} == {"requested on the admin pages."}
    for job in queued:
        work_off(str(job.pk))
    assert not Job.objects.exclude(status="succeeded").exists()
