"""Files of products as answers."""

from django.http import StreamingHttpResponse

from products.files.formats import FORMATS
from products.querysets import ProductQuerySet
from products.services import exports


def file_of(queryset: ProductQuerySet, form: str) -> StreamingHttpResponse:
    """A download of products, written as it is read. When the client goes away, its cursor is closed."""
    return StreamingHttpResponse(
        exports.stream(queryset, form),
        content_type=FORMATS[form].media_type,
        headers={"Content-Disposition": f'attachment; filename="products.{form}"'},
    )
