"""Named reads of taxonomies, categories and products."""

from typing import TYPE_CHECKING, TypeVar

from django.db import models

if TYPE_CHECKING:
    from products.models import Category, Product, Taxonomy

_P = TypeVar("_P", bound="Product")


class TaxonomyQuerySet(models.QuerySet["Taxonomy"]):
    """Reads of taxonomies."""

    def named(self, reference: str) -> "Taxonomy":
        """The taxonomy of a reference: ``code`` (its current version) or ``code@version``.

        Raises Taxonomy.DoesNotExist.
        """
        code, _, version = reference.partition("@")
        return self.get(code=code, version=version) if version else self.get(code=code, is_current=True)


class CategoryQuerySet(models.QuerySet["Category"]):
    """Reads of categories."""

    def below(self, category: "Category") -> "CategoryQuerySet":
        """A category and all that lies below it."""
        return self.filter(lineage__startswith=category.lineage)


class ProductQuerySet(models.QuerySet["Product"]):
    """Reads of products."""


class ProductManager(models.Manager["Product"]):
    """Products without their search vector, which only the database reads."""

    def get_queryset(self) -> models.QuerySet["Product"]:
        """All products."""
        return super().get_queryset().defer("search_vector")
