"""Products as a file: the bytes of it, and what a format cannot hold. `products.services.export_jobs` has the jobs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, cast

from django.db.models import Func, IntegerField, Q, TextField
from django.db.models.functions import Cast

from nexus.api.errors import invalid
from nexus.api.filters import apply_filters
from products.files import xlsx
from products.files.formats import FORMATS, Format
from products.files.rows import Row, batches
from products.filters import ProductFilterSet
from products.models import Product
from products.querysets import ProductQuerySet


def _nobody(rows: int) -> None:
    """For callers that do not watch."""


def chosen(values: Mapping[str, Any], *, pointer: str) -> ProductQuerySet:
    """The products that a list filter lets through. Raises Problem (400), with places below `pointer`."""
    found = apply_filters(ProductFilterSet, values, Product.objects.all(), pointer=pointer)
    return cast(ProductQuerySet, found.order_by("pk"))


def check(queryset: ProductQuerySet, form: str, *, pointer: str) -> None:
    """Raise Problem (400) at `pointer` for a format that there is not, or that cannot hold one of the products."""
    if form not in FORMATS:
        raise invalid(pointer, "invalid", f"The formats are: {', '.join(FORMATS)}.")
    if form == "xlsx" and (product := _too_long(queryset)):
        raise invalid(
            pointer,
            "cell_too_long",
            f"A cell of XLSX has at most {xlsx.MAX_CELL_LENGTH} characters, of which emoji count as two, and a field "
            f"of {product.sku} has more. Take csv or jsonl.",
        )


class _Utf16Length(Func):
    """The length of a text in UTF-16, of one that could be too long for a cell; others are so short that it is 0.

    UTF-8 never has fewer bytes than UTF-16 has units, and PostgreSQL knows them without unpacking the text.
    """

    template = (
        f"CASE WHEN octet_length(%(expressions)s) > {xlsx.MAX_CELL_LENGTH - 1} THEN char_length(%(expressions)s)"
        " + char_length(regexp_replace(%(expressions)s, '[^\\U00010000-\\U0010FFFF]', '', 'g')) ELSE 0 END"
    )
    output_field = IntegerField()


def _too_long(queryset: ProductQuerySet) -> Product | None:
    """A product with a text that is too long for a cell of XLSX; only attributes and descriptions can be."""
    found = queryset.annotate(
        attributes_length=_Utf16Length(Cast("attributes", TextField())),
        description_length=_Utf16Length("description"),
    ).filter(
        Q(attributes_length__gt=xlsx.MAX_CELL_LENGTH)
        # One is for the apostrophe in front of what looks like a formula.
        | Q(description_length__gt=xlsx.MAX_CELL_LENGTH - 1)
    )
    return found.order_by().first()


def stream(
    queryset: ProductQuerySet, form: str, *, tell: Callable[[int], object] = _nobody
) -> Iterator[bytes]:
    """The bytes of a file of products in a format of `FORMATS`, in order of their ids.

    A few thousand rows are in memory at a time; `tell` is called with the number of each few. When the iterator is
    closed, so is the cursor of the database.
    """
    written = FORMATS[form]
    with closing(batches(queryset)) as read:
        yield from written.whole(_parts(read, written, tell))


def _parts(read: Iterable[list[Row]], written: Format, tell: Callable[[int], object]) -> Iterator[bytes]:
    for rows in read:
        yield written.part(rows)
        tell(len(rows))
