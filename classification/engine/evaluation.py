"""How good and how fast a classifier is on products that it has not seen.

The definitions are those of the usual comparisons of text classifiers, so that figures can be laid side by side.
"""

import gc
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from classification.engine.calibration import Floats, Truths, expected_calibration_error
from classification.engine.classifier import Classifier, fit
from classification.engine.data import Category, Example, Prediction, Settings, Text
from classification.engine.records import SEPARATOR, Record

BATCH = 1_000
TOP = 5
# Singles that the latency of one product is the median of, and products that a classifier warms up with.
SINGLES, WARM_UP = 60, 200
# Of a truth that the classifier cannot answer with, and of an answer that was not given: never equal.
_UNREACHABLE, _ABSTAINED = -1, -2
Integers = NDArray[np.int64]
Figures = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions for products, in order; products a second in batches, and the milliseconds of one product."""

    predictions: list[Prediction]
    per_second: float
    latency_ms: float


def timed_fit(
    categories: Sequence[Category], records: Sequence[Record], settings: Settings, *, cold: bool = False
) -> tuple[Classifier, float]:
    """A classifier of records and the seconds that took; a cold one sees their texts and no label."""
    ids = {category.path: category.id for category in categories} | {
        category.code: category.id for category in categories
    }
    labelled = [
        Example(record.text, ids[record.label], number)
        for number, record in enumerate(records)
        if record.label in ids and not cold
    ]
    unlabelled = [record.text for record in records] if cold else []
    started = perf_counter()
    classifier = fit(categories, labelled, unlabelled, settings)
    return classifier, perf_counter() - started


def timed_answers(
    classifier: Classifier, texts: Sequence[Text], tell: Callable[[int], object] = lambda number: None
) -> Answers:
    """Predictions for texts in batches of 1,000; `tell` hears after each batch how many it held.

    What training has left in memory is kept out of garbage collection, since a process that serves does not have it.
    """
    gc.collect()
    gc.freeze()
    classifier.predict(texts[:WARM_UP], top_k=TOP)
    predictions: list[Prediction] = []
    seconds = 0.0
    for start in range(0, len(texts), BATCH):
        started = perf_counter()
        predictions += classifier.predict(texts[start : start + BATCH], top_k=TOP)
        seconds += perf_counter() - started
        tell(len(predictions) - start)
    singles = []
    for text in texts[:SINGLES]:
        started = perf_counter()
        classifier.predict([text], top_k=TOP)
        singles.append(perf_counter() - started)
    gc.unfreeze()
    return Answers(predictions, len(texts) / seconds, statistics.median(singles) * 1000)


def quality(
    categories: Sequence[Category],
    labels: Sequence[str],
    predictions: Sequence[Prediction],
    all_labels: Iterable[str] = (),
) -> Figures:
    """What predictions are worth, given the labels of the same products: paths or codes of categories.

    An answer counts for the deepest label that it is or lies below, so labels need not be leaves; `all_labels` are
    those that the data has elsewhere. Labels that no answer can meet count as errors.

    ``top1`` and ``top5``: share of products whose label is the first, or among the first five. ``macro_f1``: mean F1
    of the labels that occur. ``ece``: expected calibration error of the first answers, 15 bins.
    ``coverage_at_95_precision``: the largest share that could be accepted, the most confident first, with 95 % of it
    right (a threshold chosen afterwards: it rates the ranking). ``promised95_coverage`` and
    ``promised95_precision``: share of certain answers, and of these the right ones; None when there are none.
    ``abstained``: share without an answer.
    """
    truth, answers = _numbers(categories, labels, predictions, all_labels)
    right = np.asarray(answers[:, 0] == truth)
    confidence = np.array([prediction.confidence for prediction in predictions])
    certain = np.array([prediction.is_certain for prediction in predictions], dtype=bool)
    return {
        "top1": _share(right),
        "top5": _share((answers == truth[:, None]).any(axis=1)),
        "macro_f1": round(macro_f1(truth, answers[:, 0]), 4),
        "ece": round(expected_calibration_error(confidence, right), 4),
        "coverage_at_95_precision": _share(confidence >= oracle_threshold(confidence, right, 0.95)),
        "promised95_coverage": _share(certain),
        "promised95_precision": _share(right[certain]) if certain.any() else None,
        "abstained": _share(answers[:, 0] == _ABSTAINED),
    }


def _share(of: Truths) -> float:
    return round(float(of.mean()), 4)


def _numbers(
    categories: Sequence[Category],
    labels: Sequence[str],
    predictions: Sequence[Prediction],
    all_labels: Iterable[str],
) -> tuple[Integers, Integers]:
    """Labels and answers as numbers, of shape (products) and (products, 5)."""
    paths = {category.code: category.path for category in categories}
    labels = [paths.get(label, label) for label in labels]
    known = {paths.get(label, label) for label in all_labels} | set(labels)
    met = {category.id: label for category in categories if (label := _deepest(category.path, known))}
    reachable = {met[category.id] for category in categories if category.is_leaf and category.id in met}
    number_of = {label: number for number, label in enumerate(sorted(reachable))}
    answers = np.full((len(predictions), TOP), _ABSTAINED, dtype=np.int64)
    for row, prediction in enumerate(predictions):
        for column, candidate in enumerate(prediction.candidates[:TOP]):
            answers[row, column] = number_of.get(met.get(candidate.category_id, ""), _ABSTAINED - 1)
    return np.array([number_of.get(label, _UNREACHABLE) for label in labels], dtype=np.int64), answers


def _deepest(path: str, labels: set[str]) -> str | None:
    """The deepest label that a path is or lies below."""
    names = path.split(SEPARATOR)
    above = (SEPARATOR.join(names[:depth]) for depth in range(len(names), 0, -1))
    return next((label for label in above if label in labels), None)


def macro_f1(truth: Integers, answers: Integers) -> float:
    """Mean over the labels that occur of 2 right / (answered + occurring)."""
    scores = [
        2
        * np.sum((truth == label) & (answers == label))
        / (np.sum(truth == label) + np.sum(answers == label))
        for label in np.unique(truth)
    ]
    return float(np.mean(scores))


def oracle_threshold(confidence: Floats, right: Truths, precision: float) -> float:
    """The least confidence such that of all answers at or above it this share is right; infinite if there is none."""
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    running = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(ordered[1:] != ordered[:-1], True)
    good = np.flatnonzero((running >= precision) & last_of_equals)
    return float(ordered[good[-1]]) if len(good) else float("inf")
