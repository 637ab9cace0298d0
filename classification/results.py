"""Answers as the API, the exports and the history show them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from classification.models import Classification, Difference
from products.models import Category

Categories = Mapping[int, Mapping[str, object]]


def categories_of(answers: Iterable[Classification]) -> dict[int, dict[str, object]]:
    """The categories that answers name, by id, in one query. Those that have gone since are not among them."""
    ids = {candidate["category_id"] for answer in answers for candidate in answer.candidates}
    return categories_by_id(ids | {answer.category_id for answer in answers if answer.category_id})


def categories_by_id(ids: Iterable[int]) -> dict[int, dict[str, object]]:
    """Categories, by id, in one query. Those that have gone are not among them."""
    rows = Category.objects.filter(pk__in=ids).values_list("id", "code", "name", "path", "taxonomy__code")
    return {
        pk: {"id": pk, "code": code, "name": name, "path": path, "taxonomy": taxonomy}
        for pk, code, name, path, taxonomy in rows
    }


def represent(answer: Classification, categories: Categories) -> dict[str, Any]:
    """One result of a classification job."""
    return {
        "position": answer.position,
        "product_id": answer.product_id,
        "input": answer.input,
        "category": categories.get(answer.category_id) if answer.category_id else None,
        "confidence": answer.confidence,
        "candidates": [
            {"category": categories[candidate["category_id"]], "confidence": candidate["confidence"]}
            for candidate in answer.candidates
            if candidate["category_id"] in categories
        ],
        "decision": answer.decision,
        "explanation": answer.explanation,
        "error": answer.error or None,
    }


def represent_all(answers: Sequence[Classification]) -> list[dict[str, Any]]:
    """The results of one page."""
    categories = categories_of(answers)
    return [represent(answer, categories) for answer in answers]


def represent_with_origin(answers: Sequence[Classification]) -> list[dict[str, Any]]:
    """Results outside of their job: with an id, the job, the time, and the review if there was one."""
    return [
        {
            "id": answer.pk,
            "job_id": answer.job_id,
            "created_at": answer.created_at,
            "is_audit": answer.is_audit,
            **result,
            "review": _review(answer),
        }
        for answer, result in zip(answers, represent_all(answers), strict=True)
    ]


def _review(answer: Classification) -> dict[str, Any] | None:
    review = getattr(answer, "review", None)
    if review is None:
        return None
    return {
        "decision": review.decision,
        "category_id": review.category_id,
        "note": review.note,
        "decided_by": review.decided_by_id,
        "decided_at": review.decided_at,
    }


def represent_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured of a classifier, with its categories; those that have gone since are left out."""
    figures, confusions = report.get("categories", []), report.get("confusions", [])
    ids = {row["category_id"] for row in [*figures, *confusions]} | {row["answered_id"] for row in confusions}
    categories = categories_by_id(ids)
    return {
        "levels": report.get("levels", []),
        "categories": [
            {"category": categories[row["category_id"]], **_without_ids(row)}
            for row in figures
            if row["category_id"] in categories
        ],
        "confusions": [
            {
                "category": categories[row["category_id"]],
                "answered": categories[row["answered_id"]],
                **_without_ids(row),
            }
            for row in confusions
            if {row["category_id"], row["answered_id"]} <= categories.keys()
        ],
        "calibration": report.get("calibration", []),
        "coverage": report.get("coverage", []),
    }


def _without_ids(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.endswith("_id")}


def represent_differences(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """What two classifiers say about the same products."""
    ids = {pk for one in differences for pk in (one.before_category_id, one.after_category_id) if pk}
    categories = categories_by_id(ids)
    return [
        {
            "position": one.position,
            "product_id": one.product_id,
            "name": one.name,
            "before": {
                "category": categories.get(one.before_category_id or 0),
                "confidence": one.before_confidence,
                "is_certain": one.before_certain,
            },
            "after": {
                "category": categories.get(one.after_category_id or 0),
                "confidence": one.after_confidence,
                "is_certain": one.after_certain,
            },
        }
        for one in differences
    ]
