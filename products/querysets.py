"""Named reads of taxonomies, categories and products."""

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Func, Q, TextField, Value
from django.db.models.expressions import RawSQL

from nexus.api.prepared import Prepared

if TYPE_CHECKING:
    from products.models import Category, Product, Taxonomy


# The part of a product that a classifier looks at.
TEXT = ("name", "description", "manufacturer", "part_number", "attributes")


class TaxonomyQuerySet(models.QuerySet["Taxonomy"]):
    """Reads of taxonomies."""

    def meant_by(self, reference: str | None) -> Self:
        """The taxonomy of a reference: ``code`` (its current version) or ``code@version``.

        Without a reference all current ones, the oldest first.
        """
        if not reference:
            return self.filter(is_current=True).order_by("id")
        code, _, version = reference.partition("@")
        return self.filter(code=code, version=version) if version else self.filter(code=code, is_current=True)

    def named(self, reference: str) -> "Taxonomy":
        """The taxonomy of a reference. Raises Taxonomy.DoesNotExist."""
        return self.meant_by(reference).get()


class CategoryQuerySet(models.QuerySet["Category"]):
    """Reads of categories."""

    def below(self, category: "Category") -> Self:
        """A category and all that lies below it."""
        return self.filter(lineage__startswith=category.lineage)

    def with_words(self, text: str) -> Self:
        """Categories with every word of a text in the path, the code or the keywords."""
        found = self.alias(
            spoken=Func("keywords", Value(" "), function="array_to_string", output_field=TextField())
        )
        for word in text.split():
            found = found.filter(
                Q(path__icontains=word) | Q(code__icontains=word) | Q(spoken__icontains=word)
            )
        return found

    def held(self, ids: Collection[int]) -> dict[int, "Category"]:
        """Those of the ids that exist, with their taxonomies, kept from deletion until the transaction ends.

        Others may refer to the same categories meanwhile: the lock is the one that a foreign key takes.
        """
        return {category.pk: category for category in _holding(self.model).run(list(ids))}


@cache
def _holding(model: type["Category"]) -> Prepared:
    locked = RawSQL(
        "SELECT id FROM products_category WHERE id = ANY(%s::bigint[]) ORDER BY id FOR KEY SHARE", [[]]
    )
    return Prepared(model.objects.filter(pk__in=locked).order_by().select_related("taxonomy"))


class ProductQuerySet(models.QuerySet["Product"]):
    """Reads of products."""

    def in_category(self, category: "Category") -> Self:
        """Products of a category and of all that lie below it."""
        from_below = type(category).objects.below(category)
        # The ids themselves, not a subquery: PostgreSQL knows how frequent each of them is, and plans by it.
        ids = [category.pk] if category.is_leaf else list(from_below.values_list("pk", flat=True))
        return self.filter(category__in=ids)

    def without_decided_category(self) -> Self:
        """Products whose category a classifier may set: they have none, or one that a classifier chose."""
        return self.filter(Q(category=None) | Q(category_source="automatic"))

    def labelled_in(self, taxonomy: "Taxonomy") -> Self:
        """Products whose category in a taxonomy a person or a supplier chose."""
        return self.filter(category__taxonomy=taxonomy).exclude(category_source="automatic")

    def texts(self) -> dict[int, dict[str, Any]]:
        """`Product.text` of each, by id, without instances."""
        return {pk: dict(zip(TEXT, values, strict=True)) for pk, *values in self.values_list("pk", *TEXT)}


class ProductManager(models.Manager["Product"]):
    """Products without their search vector, which only the database reads."""

    def get_queryset(self) -> models.QuerySet["Product"]:
        """All products."""
        return super().get_queryset().defer("search_vector")
