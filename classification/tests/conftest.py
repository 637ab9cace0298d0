"""A small taxonomy, products to classify, and a way to do what workers would."""

from collections.abc import Callable
from typing import Any

import pytest

from nexus.jobs.models import Job
from nexus.jobs.tests import conftest as job_tests
from products.models import Category, Product, Taxonomy
from products.services.loading import load_taxonomy
from products.taxonomy_files.reading import CategoryRow

ROWS = [
    CategoryRow("tools", "Tools"),
    CategoryRow(
        "tools.drills", "Cordless drills", "tools", ["combi drill", "drill driver", "hammer drill", "18V"]
    ),
    CategoryRow("tools.saws", "Circular saws", "tools", ["circular saw", "plunge saw", "rip saw"]),
    CategoryRow("safety", "Safety"),
    CategoryRow("safety.gloves", "Work gloves", "safety", ["nitrile gloves", "rigger gloves", "gauntlet"]),
    CategoryRow("safety.masks", "Dust masks", "safety", ["FFP2", "FFP3", "respirator", "dust mask"]),
]

DRILL = "Makita DHP484Z 18V combi drill"
GLOVES = "Nitrile gloves powder free large"
NONSENSE = "!!! ???"

MakeProduct = Callable[..., Product]


@pytest.fixture
def taxonomy(db: None) -> Taxonomy:
    load_taxonomy("shop", "1", "Shop", ROWS)
    return Taxonomy.objects.get()


@pytest.fixture
def categories(taxonomy: Taxonomy) -> dict[str, Category]:
    return {category.code: category for category in Category.objects.all()}


@pytest.fixture
def make_product(taxonomy: Taxonomy) -> MakeProduct:
    def make(name: str = DRILL, **fields: Any) -> Product:
        return Product.objects.create(sku=f"SKU-{Product.objects.count()}", name=name, **fields)

    return make


def work_off(job_id: str) -> Job:
    """Do for a job, named by its id, what workers would."""
    return job_tests.work_off(Job.objects.get(pk=job_id))
