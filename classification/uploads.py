"""Items to classify from an uploaded file: CSV with a header, or JSON lines."""

import csv
import json
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from classification.serializers.answers import ItemSerializer
from nexus.api.errors import flatten, invalid, invalid_request

COLUMNS = tuple(ItemSerializer().fields)
MAX_ERRORS = 100


def items_of(file: UploadedFile) -> Iterator[dict[str, Any]]:
    """The validated items of a file, row by row; memory stays flat.

    Raises Problem (400) for a file without rows, and one that names up to 100 wrong rows, counted from 1 without the
    header, once all were read.
    """
    errors: list[dict[str, str]] = []
    number = 0
    for number, row in enumerate(_rows(file), start=1):
        serializer = ItemSerializer(data=row)
        if serializer.is_valid():
            if not errors:
                yield dict(serializer.validated_data)
            continue
        errors.extend(flatten(serializer.errors, f"/file/{number}"))
        if len(errors) >= MAX_ERRORS:
            break
    if not number:
        raise invalid("/file", "empty", "The file has no rows.")
    if errors:
        raise invalid_request(errors[:MAX_ERRORS])


def _rows(file: UploadedFile) -> Iterator[Any]:
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = _json_lines if (file.name or "").lower().endswith((".jsonl", ".ndjson")) else _csv
    try:
        yield from reader(text)
    except UnicodeDecodeError:
        raise invalid("/file", "encoding", "The file is not UTF-8.") from None
    except csv.Error as error:
        raise invalid("/file", "malformed_csv", f"The file is not CSV: {error}.") from None
    finally:
        text.detach()


def _json_lines(text: TextIOWrapper) -> Iterator[Any]:
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            raise invalid(f"/file/{number}", "malformed_json", f"Line {number} is not JSON.") from None


def _csv(text: TextIOWrapper) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(text, strict=True)
    header = reader.fieldnames or []
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or not {"name", "product_id"} & set(header):
        raise invalid(
            "/file",
            "columns",
            f"The first line names the columns: name or product_id, and any of {', '.join(COLUMNS)}."
            + (f" Unknown: {', '.join(unknown)}." if unknown else ""),
        )
    for number, row in enumerate(reader, start=1):
        if None in row:
            raise invalid(f"/file/{number}", "too_many_cells", "The row has more cells than the header.")
        yield _given(row, number)


def _given(row: dict[str, Any], number: int) -> dict[str, Any]:
    """The cells that are not empty; an id is a number, attributes are JSON."""
    given: dict[str, Any] = {name: value for name, value in row.items() if value}
    if given.get("product_id", "").isdecimal():
        given["product_id"] = int(given["product_id"])
    if "attributes" in given:
        try:
            given["attributes"] = json.loads(given["attributes"])
        except (ValueError, RecursionError):
            raise invalid(f"/file/{number}/attributes", "malformed_json", "Attributes are JSON.") from None
    return given
