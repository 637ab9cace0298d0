"""Reading JSON lines: one object a line, with the names of columns as keys."""

from collections.abc import Iterator
from typing import IO

import orjson

from products.files.layouts import MAX_ROW, Row

_NEWLINE = b"\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def objects(content: IO[bytes], number: int = 0) -> Iterator[Row]:
    """Every line that is not blank, with its number; one that is no object has a fault.

    The content may stand after the line of a `number`.
    """
    while line := content.readline(MAX_ROW):
        number += 1
        if len(line) == MAX_ROW and not line.endswith(_NEWLINE):
            _skip_rest(content)
            yield Row(number, {}, ("malformed_row", f"The line has more than {MAX_ROW:,} bytes."))
            continue
        line = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if line.strip():
            yield _row(number, line)


def _row(number: int, line: bytes) -> Row:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Row(number, {}, ("malformed_json", f"The line is not JSON: {error}."))
    if not isinstance(value, dict):
        return Row(number, {}, ("not_an_object", "The line is not a JSON object."))
    return Row(number, value)


def _skip_rest(content: IO[bytes]) -> None:
    while (rest := content.readline(MAX_ROW)) and not rest.endswith(_NEWLINE):
        pass
