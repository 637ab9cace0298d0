"""What a person decided about the category of a product is never overwritten by a run, on no path."""

import threading
from collections.abc import Callable
from time import sleep
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.models import User
from classification.models import Classification, Classifier
from classification.services import classify, reviews
from classification.services.rules import create_rule
from classification.tests.conftest import MakeProduct, work_off
from conftest import ClientOf
from products.models import Category, Product, Taxonomy

pytestmark = pytest.mark.django_db

MASK = "FFP3 respirator dust mask FFP3 valved"
DECIDED = ("manual", "imported", "reviewed")
Categories = dict[str, Category]


def inline(client: APIClient, ids: list[int]) -> None:
    for pk in ids:
        assert (
            client.post("/api/v1/classify", {"product_id": pk, "apply": True}, format="json").status_code
            == 200
        )


def batch(client: APIClient, ids: list[int]) -> None:
    body = {"product_ids": ids, "apply": True}
    work_off(client.post("/api/v1/classify/batch", body, format="json").json()["job_id"])


def by_filter(client: APIClient, ids: list[int]) -> None:
    body = {"filter": {}, "apply": True}
    work_off(client.post("/api/v1/classify/batch", body, format="json").json()["job_id"])


def by_rule(client: APIClient, ids: list[int]) -> None:
    conditions = [{"field": "name", "operator": "contains", "value": "mask"}]
    taxonomy = Taxonomy.objects.get()
    fields = {"taxonomy": taxonomy, "name": "Masks", "conditions": conditions}
    rule = create_rule(
        fields | {"category_id": taxonomy.categories.get(code="safety.masks").pk}, user_id=None
    )
    batch(client, ids)
    body = {"because": {"rule": rule.pk}, "apply": True}
    work_off(client.post("/api/v1/classify/reclassify", body, format="json").json()["job_id"])


def again(client: APIClient, ids: list[int]) -> None:
    inline(client, ids)
    Classification.objects.update(awaits_review=True, decision="needs_review")
    causes: list[dict[str, Any]] = [{"classifier": Classifier.objects.get().pk}, {"taxonomy": "shop"}]
    for because in causes:
        body = {"because": because, "apply": True}
        work_off(client.post("/api/v1/classify/reclassify", body, format="json").json()["job_id"])


def command(client: APIClient, ids: list[int]) -> None:
    call_command("classify", "--all", "--apply")


@pytest.mark.parametrize("run", [inline, batch, by_filter, by_rule, again, command])
def test_no_run_overwrites_what_a_person_or_a_supplier_chose(
    run: Callable[[APIClient, list[int]], None],
    client_of: ClientOf,
    editor: User,
    make_product: MakeProduct,
    categories: Categories,
) -> None:
    chosen = [
        make_product(MASK, category=categories["tools.saws"], category_source=source) for source in DECIDED
    ]
    free = make_product(MASK)
    automatic = make_product(MASK, category=categories["tools.saws"], category_source="automatic")
    run(client_of(editor), [product.pk for product in (*chosen, free, automatic)])
    found = Product.objects.in_bulk()
    for product in chosen:
        kept = found[product.pk]
        assert (kept.category, kept.category_source) == (categories["tools.saws"], product.category_source)
    for product in (free, automatic):
        # What the run may set it has set, so it was one that could have overwritten the others.
        assert found[product.pk].category == categories["safety.masks"]


@pytest.mark.django_db(transaction=True)
def test_a_decision_in_the_middle_of_a_run_is_kept(
    make_product: MakeProduct, categories: Categories, reviewer: User
) -> None:
    product = make_product(MASK)
    classify.classify_one({"product_id": product.pk}, user_id=None)
    Classification.objects.update(awaits_review=True, decision="needs_review")
    answer = Classification.objects.get()
    chosen = classify.options(apply=True)
    job = classify.classify_items([{"product_id": product.pk}], chosen=chosen, user_id=None)

    def run() -> None:
        work_off(str(job.pk))
        connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        right = categories["safety.gloves"].pk
        reviews.decide(answer, decision="correct", category_id=right, note="", user_id=reviewer.pk)
        thread.start()
        wait_until_somebody_waits_for_a_row()
    thread.join()
    product.refresh_from_db()
    assert (product.category_id, product.category_source) == (right, "reviewed")
    assert Classification.objects.get(job=job).category == categories["safety.masks"]


def wait_until_somebody_waits_for_a_row() -> None:
    """Until the run has come so far that it wants to write what is locked here."""
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        sleep(0.01)
    raise AssertionError("The run has not reached the product.")


def test_a_rejected_category_is_not_written_by_the_next_run(
    client_of: ClientOf, reviewer: User, make_product: MakeProduct
) -> None:
    client, product = client_of(reviewer), make_product(MASK)
    client.post("/api/v1/classify", {"product_id": product.pk}, format="json")
    Classification.objects.update(awaits_review=True, decision="needs_review")
    address = f"/api/v1/reviews/{Classification.objects.get().pk}"
    assert client.post(address, {"decision": "reject"}, format="json").status_code == 200
    batch(client, [product.pk])
    product.refresh_from_db()
    assert product.category is None
