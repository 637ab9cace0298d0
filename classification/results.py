"""Answers as the API, the exports and the history show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from classification.models import Classification, Difference
from classification.services.answers import explain_all
from classification.services.engines import Loaded
from products.models import Category, Product


@dataclass(frozen=True, slots=True)
class Known:
    """What answers name, by id: categories as they are shown, their levels, and SKUs and names of products.

    What has gone since is not among them.
    """

    categories: Mapping[int, Mapping[str, object]]
    levels: Mapping[int, int]
    products: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def categories_by_id(ids: Iterable[int]) -> Mapping[int, Mapping[str, object]]:
    """Categories, by id, in one query. Those that have gone are not among them."""
    return _known_categories(ids).categories


def known_of(answers: Sequence[Classification]) -> Known:
    """What some answers name: one query for all categories, and one for the products if there are any."""
    known = _known_categories({pk for answer in answers for pk in _categories_in(answer)})
    return replace(known, products=_products_in(answers))


def _known_categories(ids: Iterable[int]) -> Known:
    rows = list(
        Category.objects.filter(pk__in=ids).values_list(
            "id", "code", "name", "path", "taxonomy__code", "level"
        )
    )
    return Known(
        categories={
            pk: {"id": pk, "code": code, "name": name, "path": path, "taxonomy": taxonomy}
            for pk, code, name, path, taxonomy, _ in rows
        },
        levels={pk: level for pk, *_, level in rows},
    )


def _categories_in(answer: Classification) -> Iterable[int]:
    if answer.category_id:
        yield answer.category_id
    back_off = answer.back_off or {"candidates": []}
    yield from (
        one["category_id"] for one in (*answer.candidates, *answer.neighbours, *back_off["candidates"])
    )
    if answer.back_off:
        yield answer.back_off["category_id"]


def _products_in(answers: Iterable[Classification]) -> dict[int, tuple[str, str]]:
    ids = {one["product_id"] for answer in answers for one in answer.neighbours}
    rows = Product.objects.filter(pk__in=ids).values_list("id", "sku", "name") if ids else ()
    return {pk: (sku, name) for pk, sku, name in rows}


def represent(answer: Classification, known: Known) -> dict[str, Any]:
    """One result of a classification job."""
    category_id = answer.category_id or 0
    return {
        "position": answer.position,
        "product_id": answer.product_id,
        "input": answer.input,
        "category": known.categories.get(category_id),
        "level": known.levels.get(category_id),
        "confidence": answer.confidence,
        "candidates": _candidates(answer.candidates, known),
        "back_off": _back_off(answer.back_off, known),
        "decision": answer.decision,
        "source": answer.source,
        "rule_id": answer.rule_id,
        "explanation": answer.explanation,
        "contrast": answer.contrast,
        "similar": [
            _similar(one, known)
            for one in answer.neighbours
            if one["product_id"] in known.products and one["category_id"] in known.categories
        ],
        "error": answer.error or None,
    }


def _candidates(candidates: Iterable[Mapping[str, Any]], known: Known) -> list[dict[str, Any]]:
    return [
        {"category": known.categories[one["category_id"]], "confidence": one["confidence"]}
        for one in candidates
        if one["category_id"] in known.categories
    ]


def _back_off(back_off: Mapping[str, Any] | None, known: Known) -> dict[str, Any] | None:
    if back_off is None or back_off["category_id"] not in known.categories:
        return None
    return {
        "category": known.categories[back_off["category_id"]],
        "level": known.levels[back_off["category_id"]],
        "confidence": back_off["confidence"],
        "candidates": _candidates(back_off["candidates"], known),
    }


def _similar(one: Mapping[str, Any], known: Known) -> dict[str, Any]:
    sku, name = known.products[one["product_id"]]
    return {
        "product_id": one["product_id"],
        "sku": sku,
        "name": name,
        "category": known.categories[one["category_id"]],
        "similarity": one["similarity"],
    }


def represent_fresh(answer: Classification, loaded: Loaded) -> dict[str, Any]:
    """The result of an answer that a classifier in memory has just given: no query for its categories."""
    return represent(answer, Known(loaded.categories, loaded.levels, _products_in([answer])))


def represent_all(answers: Sequence[Classification], *, explain: bool = True) -> list[dict[str, Any]]:
    """The results of one page; without `explain`, the reasons that were not asked for yet are null."""
    if explain:
        explain_all(answers)
    known = known_of(answers)
    return [represent(answer, known) for answer in answers]


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
