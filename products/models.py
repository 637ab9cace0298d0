"""What is classified: products, and the taxonomies whose categories they are put into."""

from typing import Any

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat, Upper
from django.db.models.lookups import Exact

from products.mappings import CarriedProduct, CategoryMapping  # noqa: F401 - models are found here
from products.querysets import TEXT, CategoryQuerySet, ProductManager, ProductQuerySet, TaxonomyQuerySet
from products.validators import validate_attributes, validate_gtin

PATH_SEPARATOR = " > "
# What people call a product by, in one text.
LABEL = Concat("name", Value(" "), "manufacturer", Value(" "), "part_number", Value(" "), "sku")
TYPE_OF_ATTRIBUTES = Func("attributes", function="jsonb_typeof", output_field=models.TextField())


class Taxonomy(models.Model):
    """One version of a classification system, such as ``nexus-hardware`` 1.

    Several versions of one code stand side by side; at most one of them is current, and that is the one meant
    where only the code is given.
    """

    code = models.SlugField(max_length=60)
    version = models.CharField(max_length=40, default="1")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    language = models.CharField(max_length=10, default="en", help_text="Of the names: an IETF language tag.")
    is_current = models.BooleanField(default=True, db_default=True)
    # Counts every change of the tree or of a name or keyword, so that whatever is derived from it is rebuilt.
    revision = models.PositiveBigIntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TaxonomyQuerySet.as_manager()

    class Meta:
        ordering = ["code", "-id"]
        verbose_name_plural = "taxonomies"
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="products_taxonomy_version_unique"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(is_current=True), name="products_taxonomy_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    exclude=["path", "lineage", "level", "is_leaf", "created_at", "updated_at"],
)
class Category(models.Model):
    """A node of a taxonomy. `parent` is the truth; `path`, `lineage`, `level` and `is_leaf` follow from it.

    They are kept by `products.services.categories` alone, under one lock a taxonomy, and proved by
    ``manage.py check_taxonomy``.
    """

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="categories")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="children", db_index=False
    )
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    keywords = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Synonyms and trade abbreviations as product titles have them.",
    )
    path = models.CharField(
        max_length=1500, editable=False, help_text='Names from the root, joined by " > ".'
    )
    lineage = models.CharField(
        max_length=300,
        editable=False,
        help_text="Ids from the root down to this one, each followed by a slash.",
    )
    level = models.PositiveSmallIntegerField(editable=False, help_text="1 at the root.")
    is_leaf = models.BooleanField(default=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["path", "id"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["taxonomy", "code"], name="products_category_code_unique"),
            # For the foreign key, made by a migration, that keeps a parent in the same taxonomy.
            models.UniqueConstraint(fields=["id", "taxonomy"], name="products_category_id_taxonomy_unique"),
            models.CheckConstraint(condition=Q(level__gte=1), name="products_category_level_from_one"),
            models.CheckConstraint(
                condition=Q(parent=None, level=1) | Q(parent__isnull=False, level__gt=1),
                name="products_category_only_roots_at_level_one",
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")), name="products_category_not_its_own_parent"
            ),
        ]
        indexes = [
            models.Index(fields=["parent", "id"], name="products_category_by_parent"),
            models.Index(fields=["taxonomy", "path", "id"], name="products_category_by_path"),
            models.Index(fields=["path", "id"], name="products_category_all_paths"),
            models.Index(OpClass(F("lineage"), name="varchar_pattern_ops"), name="products_category_lineage"),
            GinIndex(OpClass(Upper("path"), name="gin_trgm_ops"), name="products_category_path_trgm"),
        ]

    def __str__(self) -> str:
        return self.path


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    exclude=["search_vector", "created_at", "updated_at"],
)
class Product(models.Model):
    """A thing that is sold or kept, as its supplier describes it."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        ACTIVE = "active"
        ARCHIVED = "archived"

    class CategorySource(models.TextChoices):
        """Who chose the category. What a person or a supplier chose is never overwritten by a classifier."""

        MANUAL = "manual", "chosen by a user"
        IMPORTED = "imported", "given by an imported file"
        AUTOMATIC = "automatic", "chosen by a classifier"
        REVIEWED = "reviewed", "decided in a review"

    # Identification
    sku = models.CharField("SKU", max_length=64)
    name = models.CharField(max_length=500)
    description = models.TextField(blank=True, max_length=20_000)
    manufacturer = models.CharField(max_length=200, blank=True)
    part_number = models.CharField(max_length=100, blank=True)
    gtin = models.CharField("GTIN", max_length=14, blank=True, validators=[validate_gtin])
    attributes = models.JSONField(
        default=dict,
        blank=True,
        validators=[validate_attributes],
        help_text="A flat object of strings, numbers and booleans.",
    )
    # State
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="products", db_index=False
    )
    # Null without a category, as the category itself is.
    category_source = models.CharField(  # noqa: DJ001
        max_length=10, choices=CategorySource.choices, null=True, blank=True, editable=False
    )
    # Times
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # What `ProductQuerySet.search` looks through; "simple" because part numbers are not words of a language.
    search_vector = models.GeneratedField(
        expression=SearchVector("sku", "part_number", "gtin", config="simple", weight="A")
        + SearchVector("name", "manufacturer", config="simple", weight="B")
        + SearchVector("description", config="simple", weight="D"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ProductManager.from_queryset(ProductQuerySet)()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["sku"], name="products_product_sku_unique"),
            models.CheckConstraint(
                condition=~Q(sku="") & ~Q(name=""), name="products_product_sku_and_name_given"
            ),
            models.CheckConstraint(
                condition=Q(gtin="") | Q(gtin__regex=r"^(\d{8}|\d{12,14})$"),
                name="products_product_gtin_digits",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "archived"]), name="products_product_status_known"
            ),
            models.CheckConstraint(
                condition=Q(category=None, category_source=None)
                | Q(category__isnull=False, category_source__isnull=False),
                name="products_product_category_has_a_source",
            ),
            models.CheckConstraint(
                condition=Exact(TYPE_OF_ATTRIBUTES, Value("object")),
                name="products_product_attributes_is_an_object",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "id"], name="products_product_by_status"),
            models.Index(Upper("manufacturer"), "id", name="products_product_by_maker"),
            models.Index(fields=["category", "id"], name="products_product_by_category"),
            models.Index(fields=["created_at", "id"], name="products_product_by_created"),
            models.Index(fields=["updated_at", "id"], name="products_product_by_updated"),
            models.Index(fields=["name", "id"], name="products_product_by_name"),
            models.Index(fields=["gtin"], condition=~Q(gtin=""), name="products_product_by_gtin"),
            GinIndex(fields=["search_vector"], name="products_product_search"),
            # For the words that nobody has written like this; see `products.search`.
            GinIndex(OpClass(LABEL, name="gin_trgm_ops"), name="products_product_label_trgm"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"

    def text(self) -> dict[str, Any]:
        """The part of a product that a classifier looks at."""
        return {name: getattr(self, name) for name in TEXT}


class ProductCountDelta(models.Model):
    """By how many rows one statement has changed the table of products; written by triggers alone.

    The deltas that a transaction sees add up to the number of products that it sees, its own last write
    included, and nobody waits for anybody. Which deltas it sees says which products it sees: see
    `products.counting`. A trigger folds the rows into one from time to time.
    """

    delta = models.BigIntegerField()
    mark = models.BigIntegerField(help_text="Random, so that no other set of deltas has the same marks.")

    def __str__(self) -> str:
        return f"{self.delta:+d}"


# Django looks for models here.
from products.import_models import (  # noqa: E402
    ImportChange,  # noqa: F401
    ImportedChunk,  # noqa: F401
    ImportFault,  # noqa: F401
    ImportKey,  # noqa: F401
    ImportProfile,  # noqa: F401
)
