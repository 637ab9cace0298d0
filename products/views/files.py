"""Files of products as answers."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse

from products.files.formats import FORMATS


def download(content: Iterator[bytes], form: str) -> StreamingHttpResponse:
    """A file that is sent as it is made. When the client goes away, what makes it is closed."""
    return StreamingHttpResponse(
        content,
        content_type=FORMATS[form].media_type,
        headers={"Content-Disposition": f'attachment; filename="products.{form}"'},
    )
