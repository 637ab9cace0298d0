"""Both ways to read rows give the same bytes"""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

from accounts.models import User
from accounts.serializers import MeSerializer
from classification.serializers.answers import ClassificationJobSerializer
from conftest import ClientOf
from nexus.api import reading
from nexus.api.reading import shower
from nexus.api.renderers import to_json
from nexus.api.tests.conftest import PRODUCTS
from nexus.api.views import GenericViewSet
from nexus.jobs.models import Job
from nexus.jobs.serializers import JobSerializer
from products.demo import load_demo_products, load_demo_taxonomy
from products.models import Product


def viewsets(patterns: Any = None) -> set[type[GenericViewSet]]:
    """Every viewset that has an address."""
    found: set[type[GenericViewSet]] = set()
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            found |= viewsets(pattern.url_patterns)
        else:
            view: Any = getattr(pattern.callback, "cls", object)
            found |= {view} if issubclass(view, GenericViewSet) else set()
    return found


READERS = sorted(
    (
        view
        for view in viewsets()
        if view.serializer_class is not None and reading.row_reader(view.serializer_class) is not None  # type: ignore[arg-type]
    ),
    key=lambda view: view.__name__,
)


@pytest.fixture
def _catalogue(db: None) -> None:
    load_demo_taxonomy()
    load_demo_products()
    Product.objects.filter(pk=Product.objects.earliest("pk").pk).update(
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        updated_at=datetime(2026, 1, 1, 0, 0, 0, 100, tzinfo=UTC),
        attributes={"z": 1, "long": 1.0, "b": True, "ä": "“”", "small": 1e-9},
    )


@pytest.mark.usefixtures("_catalogue")
@pytest.mark.parametrize("url", [PRODUCTS, "/api/v1/categories", "/api/v1/taxonomies", "/api/v1/users"])
def test_lists_and_resources_are_the_same_both_ways(
    client_of: ClientOf, administrator: User, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    client = client_of(administrator)

    def read() -> list[bytes]:
        page = client.get(f"{url}?page_size=200")
        assert page.status_code == 200
        ids = [row["id"] for row in page.json()["results"][:3]]
        return [page.content, *(client.get(f"{url}/{pk}").content for pk in ids)]

    quickly = read()
    monkeypatch.setattr("nexus.api.views.row_reader", lambda serializer: None)
    assert read() == quickly


@pytest.mark.parametrize("name", ["ProductViewSet", "CategoryViewSet", "TaxonomyViewSet"])
def test_products_and_taxonomies_are_read_the_short_way(name: str) -> None:
    assert name in {view.__name__ for view in READERS}


def test_what_a_write_answers_is_what_is_read(api: APIClient) -> None:
    created = api.post(PRODUCTS, {"sku": "A", "name": "a", "attributes": {"bb": 1, "a": 2}})
    url = created.headers["Location"]
    assert api.get(url).content == created.content
    assert api.patch(url, {"name": "b"}).content == api.get(url).content


@pytest.mark.parametrize("serializer_class", [JobSerializer, ClassificationJobSerializer])
def test_an_instance_is_shown_as_its_serializer_shows_it(serializer_class: Any) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    job = Job(kind="classify", parameters={"taxonomy": "a@1", "classifier": {"id": 1}}, created_by_id=5)
    for started_at in (None, at):
        job.created_at, job.started_at = at.replace(microsecond=7), started_at
        assert to_json(shower(serializer_class)(job)) == to_json(serializer_class(job).data)


def test_the_profile_is_shown_as_its_serializer_shows_it(administrator: User) -> None:
    assert to_json(shower(MeSerializer)(administrator)) == to_json(MeSerializer(administrator).data)
