"""How answers are written."""

from typing import Any

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# Moments are written as REST framework writes them: RFC 3339 in UTC with a Z.
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
ANY = "*/*"


def to_json(data: object) -> bytes:
    """JSON in UTF-8. Values that JSON does not know (such as lazy texts and decimals) are written as text."""
    return orjson.dumps(data, default=str, option=OPTIONS)


class JSONRenderer(BaseRenderer):
    """Answers in JSON; there is no other form."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """The bytes of an answer; none for an answer without content."""
        return b"" if data is None else to_json(data)


class ContentNegotiation(DefaultContentNegotiation):
    """REST framework's, which need not take media types apart where a caller takes any, or sends the very one."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """A parser of the body; None where its media type is none that the view takes."""
        named = [parser for parser in parsers if parser.media_type == request.content_type]
        return named[0] if named else super().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """A renderer and its media type. Raises NotAcceptable."""
        if format_suffix is None and request.META.get("HTTP_ACCEPT", ANY) == ANY:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)


def files(*media_types: str) -> list[type[BaseRenderer]]:
    """The `renderer_classes` of a view that streams files of these types: what a caller may ask for by ``Accept``."""
    return [JSONRenderer, *(type("File", (JSONRenderer,), {"media_type": name}) for name in media_types)]
