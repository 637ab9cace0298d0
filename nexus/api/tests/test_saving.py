"""Rows are written as `Model.save` writes them."""

from typing import Any

import pghistory
import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.signals import post_save, pre_save

from classification.models import Classification
from nexus.api.saving import insert, insert_and_read, update_and_read
from nexus.jobs.models import Chunk, Job
from products.models import Product

pytestmark = pytest.mark.django_db


def stored(instance: Any) -> dict[str, Any]:
    """The row of an instance, without what differs between two rows anyway."""
    row = type(instance).objects.values().get(pk=instance.pk)
    return {name: value for name, value in row.items() if name not in {"id", "sku", "search_vector"} | TIMES}


TIMES = {"created_at", "updated_at"}


def drill(sku: str) -> Product:
    return Product(
        sku=sku, name="Drill 'x' 100%", attributes={"voltage": 18, "a": None}, gtin="4006381333931"
    )


@pytest.mark.parametrize("make", [drill, lambda kind: Job(kind="any", parameters={"a": [1]})])
def test_a_new_row_is_the_one_that_save_would_make(make: Any) -> None:
    saved, inserted = make("A"), make("B")
    saved.save()
    insert(inserted)
    assert stored(inserted) == stored(saved)
    assert inserted.pk != saved.pk
    assert not inserted._state.adding
    assert inserted.created_at == type(inserted).objects.get(pk=inserted.pk).created_at


def test_what_the_database_has_a_default_for_is_known_to_the_new_instance() -> None:
    job = Job(kind="any")
    insert(job)
    assert job.reason == Job.objects.get(pk=job.pk).reason == ""


@pytest.mark.parametrize("rows", [Product.objects.all(), Product.objects.values_list("sku", "attributes")])
def test_what_is_written_is_read_as_a_queryset_reads_it(rows: Any, django_assert_num_queries: Any) -> None:
    product = drill("A")
    with django_assert_num_queries(1):
        written = insert_and_read(product, rows)
    assert written == rows.get()
    product.pk, product.attributes = Product.objects.get().pk, {"voltage": 36}
    with django_assert_num_queries(1):
        changed = update_and_read(product, ("attributes",), rows)
    assert changed == rows.get()
    assert Product.objects.get().attributes == {"voltage": 36}


def test_what_it_refers_to_is_read_along(django_assert_num_queries: Any) -> None:
    insert(job := Job(kind="any"))
    chunk = Chunk(job_id=job.pk, position=0, first=0, size=1)
    with django_assert_num_queries(1):
        written = insert_and_read(chunk, Chunk.objects.select_related("job"))
        assert written.job == job


def test_a_change_writes_the_named_fields_and_no_others() -> None:
    product = insert_and_read(drill("A"), Product.objects.all())
    before = product.updated_at
    product.name, product.manufacturer = "Saw", "not saved"
    changed = update_and_read(product, ("name", "updated_at"), Product.objects.all())
    assert (changed.name, changed.manufacturer) == ("Saw", "")
    assert changed.updated_at > before


def test_rows_that_belong_together_are_made_in_one_statement(django_assert_num_queries: Any) -> None:
    job, product = Job(kind="any"), drill("A")
    chunk = Chunk(job=job, position=0, first=0, size=1)
    with django_assert_num_queries(1):
        insert(job, chunk, product)
    assert Chunk.objects.get().job == Job.objects.get() == job
    assert (Chunk.objects.get(), Product.objects.get()) == (chunk, product)


def test_of_rows_that_belong_together_all_are_made_or_none() -> None:
    insert(drill("A"))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Job(kind="any"), drill("A"))
    assert not Job.objects.exists()


def test_what_the_database_refuses_is_an_integrity_error() -> None:
    insert(drill("A"))
    with pytest.raises(IntegrityError, match="products_product_sku_unique"):
        insert(drill("A"))


def test_the_history_knows_on_whose_behalf() -> None:
    product = drill("A")
    with pghistory.context(source="test", user=7):
        insert(product)
        product.name = "Saw"
        update_and_read(product, ("name",), Product.objects.all())
    events = product.events.order_by(F("pgh_id"))  # type: ignore[attr-defined]
    assert [event.pgh_label for event in events] == ["insert", "update"]
    assert all(event.pgh_context == {"source": "test", "user": 7} for event in events)


@pytest.mark.parametrize("model", [Product, Job, Classification])
def test_nobody_waits_for_a_signal_that_is_not_sent(model: Any) -> None:
    assert not pre_save.has_listeners(model)
    assert not post_save.has_listeners(model)
