"""The results of a job as a file, streamed row by row."""

import csv
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from classification.models import Classification
from classification.results import represent_all
from nexus.api.renderers import to_json
from nexus.jobs.models import Job
from products.files.formulas import neutralise

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
ROWS_AT_ONCE = 500
COLUMNS = (
    "position",
    "product_id",
    "name",
    "category_code",
    "category_path",
    "confidence",
    "back_off_path",
    "back_off_confidence",
    "decision",
    "source",
    "rule_id",
    "error",
)


class _Line:
    """Gives the line that csv writes back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def rows(job: Job, form: str) -> Iterator[bytes]:
    """The results of a job in order of position, as ``csv`` or ``jsonl``."""
    results = _results(Classification.objects.filter(job=job).order_by("position"), explain=form == "jsonl")
    if form == "jsonl":
        yield from (to_json(result) + b"\n" for result in results)
        return
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS).encode()
    for result in results:
        yield writer.writerow(_cells(result)).encode()


def _results(queryset: QuerySet[Classification], *, explain: bool) -> Iterator[dict[str, Any]]:
    last = -1
    while page := list(queryset.filter(position__gt=last)[:ROWS_AT_ONCE]):
        yield from represent_all(page, explain=explain)
        last = page[-1].position


def _cells(result: dict[str, Any]) -> list[Any]:
    category, back_off = result["category"] or {}, result["back_off"]
    cells = [
        result["position"],
        result["product_id"],
        result["input"].get("name", ""),
        category.get("code"),
        category.get("path"),
        result["confidence"],
        back_off and back_off["category"]["path"],
        back_off and back_off["confidence"],
        result["decision"],
        result["source"],
        result["rule_id"],
        result["error"],
    ]
    return [neutralise(cell) if isinstance(cell, str) else cell for cell in cells]
