"""Products as a file: the bytes of it, and what a format cannot hold. `products.services.export_jobs` has the jobs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, cast

from django.db.models import TextField
from django.db.models.functions import Cast, Length

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
            f"A cell of XLSX has at most {xlsx.MAX_CELL_LENGTH} characters, and the attributes of {product.sku} "
            "have more. Take csv or jsonl.",
        )


def _too_long(queryset: ProductQuerySet) -> Product | None:
    """A product whose attributes, the only field without such a limit, are too long for a cell of XLSX."""
    length = Length(Cast("attributes", TextField()))
    found = queryset.annotate(length=length).filter(length__gt=xlsx.MAX_CELL_LENGTH)
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
