"""What classifiers learn from: decisions of people and suppliers. Answers of machines are never among them."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from zlib import crc32

from django.db.models import Count, DecimalField, Func, Q, QuerySet, Sum

from classification import engine
from classification.engine.artefact import FORMAT_VERSION
from classification.models import Classifier, Precedent, Review
from nexus.api.renderers import to_json
from products.models import Product, Taxonomy

# Products without a label that training reads, to learn which words are common among them.
UNLABELLED_SAMPLE = 20_000
ROWS_AT_ONCE = 2_000
# Decisions that two classifiers are compared on, and the share of all when any will do.
MOST_HELD, ONE_HELD_OF = 2_000, 5
TEXT_FIELDS = ("name", "description", "manufacturer", "part_number", "attributes")


class Labelled(NamedTuple):
    """An example, and the review that it comes from where the product itself does not tell."""

    example: engine.Example
    review_id: int | None = None


def labelled(taxonomy: Taxonomy) -> Iterator[Labelled]:
    """Every example of a taxonomy, streamed in an order that is the same every time.

    A product whose category a person or a supplier chose counts with this category, which is the newest decision
    about it, and with no review. Reviews count where there is no such product: for texts outside of the catalogue,
    products that were deleted, and products that are labelled in another taxonomy by now. So do decisions about texts
    that were carried along from another version.
    """
    products = Product.objects.labelled_in(taxonomy).order_by("id").only("category_id", *TEXT_FIELDS)
    for product in products.iterator(ROWS_AT_ONCE):
        assert product.category_id
        yield Labelled(engine.Example(engine.Text(**product.text()), product.category_id, product.pk))
    for rows, item in (
        (_of_texts(taxonomy), "classification__input"),
        (_of_products_elsewhere(taxonomy), "classification__product"),
    ):
        newest = rows.order_by(item, "-id").distinct(item)
        values = newest.values_list("id", "category", "classification__product", "classification__input")
        for pk, category, product_id, text in values.iterator(ROWS_AT_ONCE):
            yield Labelled(engine.Example(engine.Text(**text), category, product_id), pk)
    texts = (
        _carried(taxonomy).order_by("id").values_list("review", "category", "review__classification__input")
    )
    for pk, category, text in texts.iterator(ROWS_AT_ONCE):
        yield Labelled(engine.Example(engine.Text(**text), category), pk)


def _decided(taxonomy: Taxonomy) -> QuerySet[Review]:
    """Reviews that name a category of a taxonomy."""
    return Review.objects.filter(classification__taxonomy=taxonomy, category__taxonomy=taxonomy)


def _of_texts(taxonomy: Taxonomy) -> QuerySet[Review]:
    """Decisions about texts that belong to no product."""
    return _decided(taxonomy).filter(classification__product=None)


def _of_products_elsewhere(taxonomy: Taxonomy) -> QuerySet[Review]:
    """Decisions about products that have a category, but in another taxonomy."""
    decided = _decided(taxonomy).filter(classification__product__category__isnull=False)
    return decided.exclude(classification__product__category__taxonomy=taxonomy)


def _carried(taxonomy: Taxonomy) -> QuerySet[Precedent]:
    """Decisions about texts that belong to no product, made in another version and carried along to this one."""
    right = Precedent.objects.filter(taxonomy=taxonomy, is_right=True, review__isnull=False)
    texts = right.filter(review__classification__product=None)
    return texts.exclude(review__classification__taxonomy=taxonomy)


def unlabelled(taxonomy: Taxonomy) -> Iterator[engine.Text]:
    """The newest products without a category, as a sample of how products are named."""
    products = Product.objects.filter(category=None).order_by("-id").only(*TEXT_FIELDS)
    for product in products[:UNLABELLED_SAMPLE].iterator(ROWS_AT_ONCE):
        yield engine.Text(**product.text())


def not_decided(most: int) -> Iterator[engine.Text]:
    """The newest products whose category no person and no supplier has chosen."""
    products = Product.objects.filter(Q(category_source=None) | Q(category_source="automatic"))
    for product in products.order_by("-id").only(*TEXT_FIELDS)[:most].iterator(ROWS_AT_ONCE):
        yield engine.Text(**product.text())


def count_by_category(taxonomy: Taxonomy) -> dict[int, int]:
    """How many examples each category has, by its id; those without any are left out."""
    counts: Counter[int] = Counter()
    sources: list[QuerySet[Any]] = [
        Product.objects.labelled_in(taxonomy),
        _of_texts(taxonomy),
        _of_products_elsewhere(taxonomy),
        _carried(taxonomy),
    ]
    for rows in sources:
        counts.update(dict(rows.order_by().values_list("category_id").annotate(Count("id"))))
    return dict(counts)


def decisions_since(taxonomy: Taxonomy, moment: datetime) -> int:
    """How many reviews have named a category since then."""
    return _decided(taxonomy).filter(decided_at__gt=moment).count()


def are_there(taxonomy: Taxonomy) -> bool:
    """Whether there is anything to learn from, be it only how products are named."""
    return any(next(rows, None) is not None for rows in (labelled(taxonomy), unlabelled(taxonomy)))


def held_back(taxonomy: Taxonomy, active: Classifier) -> Callable[[Labelled], bool]:
    """Which examples to hold back, so that the active classifier and a new one can be compared on what neither knows.

    They are the newest decisions since the active one was made. One that has learned nothing at all knows none, so
    every fifth example will do.
    """
    if active.training_size == 0:
        most = iter(range(MOST_HELD))
        return lambda one: _is_drawn(one) and next(most, None) is not None
    newest = _decided(taxonomy).filter(decided_at__gt=active.created_at).order_by("-decided_at", "-id")
    rows = list(newest.values_list("id", "classification__product")[:MOST_HELD])
    reviews, products = {pk for pk, _ in rows}, {product for _, product in rows if product}
    return lambda one: one.review_id in reviews or one.example.id in products


def _is_drawn(one: Labelled) -> bool:
    return crc32(f"{one.example.id}:{one.review_id}".encode()) % ONE_HELD_OF == 0


class _Hash(Func):
    """A number of 64 bits made of several columns."""

    template = "hashtextextended(concat_ws(E'\\x1f', %(expressions)s), 0)::numeric"
    output_field = DecimalField(max_digits=20, decimal_places=0)


def fingerprint(taxonomy: Taxonomy, promised_precision: float) -> str:
    """64 characters that change when a new classifier would: with a label, the taxonomy, the promise, or the engine.

    Products without a label are left out: they come and go every day, and tell no more than which words are common.
    """
    products = Product.objects.labelled_in(taxonomy)
    decisions = (_of_texts(taxonomy), _of_products_elsewhere(taxonomy), _carried(taxonomy))
    parts = [
        FORMAT_VERSION,
        taxonomy.pk,
        taxonomy.revision,
        promised_precision,
        _sum(products, _Hash("id", "category_id", *TEXT_FIELDS)),
        *(_sum(rows, _Hash("id", "category_id")) for rows in decisions),
    ]
    return sha256(to_json(parts)).hexdigest()


def _sum(rows: QuerySet[Any], hashed: Func) -> str:
    found = rows.order_by().aggregate(count=Count("id"), sum=Sum(hashed))
    return f"{found['count']} {found['sum']}"
