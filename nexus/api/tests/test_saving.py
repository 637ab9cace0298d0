"""Rows are written as `Model.save` writes them."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.signals import post_save, pre_save

from classification.models import Classification
from nexus.api.saving import insert
from nexus.jobs.models import Chunk, Job
from products.models import Product

pytestmark = pytest.mark.django_db


def stored(instance: Any) -> dict[str, Any]:
    """The row of an instance, without what differs between two rows anyway."""
    row = type(instance).objects.values().get(pk=instance.pk)
    return {name: value for name, value in row.items() if name not in {"id", "created_at"}}


def test_a_new_row_is_the_one_that_save_would_make() -> None:
    saved, inserted = (Job(kind="any", parameters={"a": [1, "x' 100%", None]}, total=7) for _ in range(2))
    saved.save()
    insert(inserted)
    assert stored(inserted) == stored(saved)
    assert inserted.pk != saved.pk
    assert not inserted._state.adding
    assert inserted.created_at == Job.objects.get(pk=inserted.pk).created_at


def test_what_the_database_has_a_default_for_is_known_to_the_new_instance() -> None:
    job = Job(kind="any")
    insert(job)
    assert job.reason == Job.objects.get(pk=job.pk).reason == ""


def test_rows_that_belong_together_are_made_in_one_statement(django_assert_num_queries: Any) -> None:
    job = Job(kind="any")
    chunk = Chunk(job=job, position=0, first=0, size=1)
    with django_assert_num_queries(1):
        insert(job, chunk)
    assert Chunk.objects.get().job == Job.objects.get() == job
    assert Chunk.objects.get() == chunk


def test_of_rows_that_belong_together_all_are_made_or_none() -> None:
    job = Job(kind="any")
    chunks = [Chunk(job=job, position=0, first=0, size=1) for _ in range(2)]
    with pytest.raises(IntegrityError, match="nexus_chunk_position_unique"), transaction.atomic():
        insert(job, *chunks)
    assert not Job.objects.exists()


def test_what_has_a_history_is_refused() -> None:
    with pytest.raises(AssertionError, match="history"):
        insert(Product(sku="A", name="Drill"))


@pytest.mark.parametrize("model", [Product, Job, Classification])
def test_nobody_waits_for_a_signal_that_is_not_sent(model: Any) -> None:
    assert not pre_save.has_listeners(model)
    assert not post_save.has_listeners(model)
