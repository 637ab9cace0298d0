"""How request bodies are read."""

from collections.abc import Iterator
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from nexus.api.errors import Problem, invalid, pointer_of

MAX_DEPTH = 64
NULL_CHARACTER = "\x00"


class JSONParser(BaseParser):
    """JSON by the letter of RFC 8259: UTF-8, no NaN; not null, at most 64 levels deep and without null characters.

    Django has bounded the size of the body by then. Raises Problem (400) that says where the mistake is.
    """

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The document in the body."""
        body = parser_context["request"]._request.body
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Problem("malformed_json", f"The body is not JSON: {error}.") from None
        if document is None:
            raise invalid("", "null", "This may not be null.")
        if body.count(b"{") + body.count(b"[") > MAX_DEPTH or b"\\u0000" in body:
            self._check(document)
        return document

    @staticmethod
    def _check(document: object) -> None:
        for place, value in _walk(document):
            if len(place) > MAX_DEPTH:
                raise invalid(
                    pointer_of(*place[:3]), "too_deep", f"The document is more than {MAX_DEPTH} levels deep."
                )
            if isinstance(value, str) and NULL_CHARACTER in value:
                raise invalid(
                    pointer_of(*place), "null_character", "Null characters are not allowed in text."
                )


def _walk(document: object) -> Iterator[tuple[tuple[object, ...], object]]:
    """Every value and every name of a document with its place; without recursion, so that no depth is too deep."""
    waiting: list[tuple[tuple[object, ...], object]] = [((), document)]
    while waiting:
        place, value = waiting.pop()
        yield place, value
        if len(place) > MAX_DEPTH:
            continue
        if isinstance(value, dict):
            for name, below in value.items():
                yield place, name
                waiting.append(((*place, name), below))
        elif isinstance(value, list):
            waiting.extend(((*place, index), below) for index, below in enumerate(value))
