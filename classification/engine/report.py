"""What out-of-fold predictions are worth: confidence and thresholds fitted on them, and the figures to show.

Every figure is cross-fitted: the confidence of a fold comes from a regression on the other folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classification.engine.calibration import (
    FEWEST_DIFFERENT,
    FEWEST_ROWS,
    Confidence,
    Logistic,
    Truths,
    expected_calibration_error,
    fit_threshold,
    logit,
    reliability,
    signals,
)
from classification.engine.data import Category
from classification.engine.tree import Tree

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Figures = dict[str, Any]

TOP = 3
_PRECISIONS = (0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)
_MOST_CONFUSIONS = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """Out-of-fold probabilities of shape (rows, leaves), true leaves, folds, and three columns of familiarity.

    ``different`` is the number of rows that are not near-identical to others: a hundred copies of one title tell
    nothing about the next title.
    """

    probabilities: NDArray[np.float32]
    labels: Integers
    folds: Integers
    familiarity: Floats
    different: int

    def best_probabilities(self) -> Floats:
        """The three greatest of each row."""
        return top_probabilities(self.probabilities)[1]

    def is_enough(self) -> bool:
        """Whether there is anything to fit confidence on: enough rows that differ, in two folds."""
        is_varied = self.different >= FEWEST_DIFFERENT and len(np.unique(self.folds)) > 1
        return is_varied and len(self.labels) >= FEWEST_ROWS

    def right(self) -> Truths:
        """Whether the first answer is the true one."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)


def top_probabilities(probabilities: NDArray[np.float32], most: int = TOP) -> tuple[Integers, Floats]:
    """The leaves with the greatest probabilities, best first, and these; ones that do not exist have none."""
    count = min(most, probabilities.shape[1])
    if count < probabilities.shape[1]:
        leaves = np.argpartition(-probabilities, count - 1, axis=1)[:, :count]
    else:
        leaves = np.broadcast_to(np.arange(count), probabilities.shape)
    values = np.take_along_axis(probabilities, leaves, axis=1)
    order = np.lexsort((leaves, -values), axis=1)
    leaves, values = np.take_along_axis(leaves, order, axis=1), np.take_along_axis(values, order, axis=1)
    missing = max(0, TOP - count)
    return leaves, np.pad(values.astype(np.float64), ((0, 0), (0, missing)))


def measure(
    measured: Measured, leaves: Sequence[Category], tree: Tree, promised: float
) -> tuple[Confidence | None, Truths, Figures]:
    """Fit confidence and thresholds, and say what they are worth. No confidence where the rows are not
    enough.

    The second value says which rows have a certain answer.
    """
    right = measured.right()
    figures: Figures = {
        "accuracy": float(right.mean()),
        "top_5_accuracy": _top_accuracy(measured.probabilities, measured.labels, 5),
    }
    if not measured.is_enough():
        return None, np.zeros(len(right), dtype=bool), figures
    found = signals(measured.best_probabilities(), measured.familiarity)
    honest = _cross_fitted(found, right, measured.folds)
    threshold = fit_threshold(honest, right, promised)
    accepted = honest >= threshold if threshold is not None else np.zeros(len(right), dtype=bool)
    above, above_threshold = _back_off(measured, honest, accepted, tree, promised)
    figures |= {
        "ece": expected_calibration_error(honest, right),
        "threshold": threshold,
        "coverage": float(accepted.mean()),
        "precision": float(right[accepted].mean()) if accepted.any() else None,
        "report": _report(measured, honest, leaves, tree),
    }
    return Confidence(Logistic.fit(found, right), threshold, above, above_threshold), accepted, figures


def _cross_fitted(found: Floats, right: Truths, folds: Integers) -> Floats:
    honest = np.zeros(len(right))
    for fold in np.unique(folds):
        inside = folds == fold
        honest[inside] = Logistic.fit(found[~inside], right[~inside]).predict(found[inside])
    return honest


def _top_accuracy(probabilities: NDArray[np.float32], labels: Integers, top: int) -> float:
    own = probabilities[np.arange(len(labels)), labels][:, None]
    return float(((probabilities > own).sum(axis=1) < top).mean())


def _back_off(
    measured: Measured, honest: Floats, accepted: Truths, tree: Tree, promised: float
) -> tuple[Logistic | None, float | None]:
    """How likely the right leaf lies below a node over the best one, for the answers that are not certain."""
    rows, nodes = pairs_above(measured.probabilities.argmax(axis=1), np.flatnonzero(~accepted), tree)
    if len(rows) < FEWEST_ROWS:
        return None, None
    given = logit(mass_above(measured.probabilities, honest, rows, nodes, tree))[:, None]
    below = np.asarray(tree.members[measured.labels[rows], nodes]).ravel() > 0
    logistic = Logistic.fit(given, below)
    return logistic, fit_threshold(logistic.predict(given), below, promised)


def pairs_above(best: Integers, rows: Integers, tree: Tree) -> tuple[Integers, Integers]:
    """Rows and the nodes over their best leaves, nearest first."""
    nodes = [tree.above[best[row]] for row in rows]
    counts = [len(one) for one in nodes]
    return np.repeat(rows, counts), np.array([node for one in nodes for node in one], dtype=np.int64)


def mass_above(
    probabilities: NDArray[np.float32], confidences: Floats, rows: Integers, nodes: Integers, tree: Tree
) -> Floats:
    """The probability below each node for the row beside it; the best leaf counts with its confidence.

    The other leaves share what is left as their probabilities do.
    """
    different, places = np.unique(rows, return_inverse=True)
    below = np.asarray((probabilities[different] @ tree.members)[places, nodes], dtype=np.float64)
    best = probabilities.max(axis=1).astype(np.float64)[rows]
    rest = np.clip((below - best) / np.maximum(1.0 - best, 1e-9), 0.0, 1.0)
    return confidences[rows] + (1.0 - confidences[rows]) * rest


def _report(measured: Measured, honest: Floats, leaves: Sequence[Category], tree: Tree) -> Figures:
    answers = np.asarray(measured.probabilities.argmax(axis=1), dtype=np.int64)
    return {
        "levels": _levels(answers, measured.labels, leaves),
        "categories": _categories(answers, measured.labels, leaves),
        "confusions": _confusions(answers, measured.labels, leaves),
        "calibration": reliability(honest, measured.right()),
        "coverage": [_coverage(honest, measured.right(), precision) for precision in _PRECISIONS],
    }


def _levels(answers: Integers, labels: Integers, leaves: Sequence[Category]) -> list[Figures]:
    """Accuracy of the answers cut to each number of steps from the root, 1 for the step below it."""
    paths = [leaf.path.split(" > ") for leaf in leaves]
    deepest = max(len(path) for path in paths)
    found = []
    for level in range(1, deepest + 1):
        numbers: dict[tuple[str, ...], int] = {}
        cut = np.array([numbers.setdefault(tuple(path[:level]), len(numbers)) for path in paths])
        found.append({"level": level, "accuracy": round(float(np.mean(cut[answers] == cut[labels])), 4)})
    return found


def _categories(answers: Integers, labels: Integers, leaves: Sequence[Category]) -> list[Figures]:
    size = len(leaves)
    examples, answered = np.bincount(labels, minlength=size), np.bincount(answers, minlength=size)
    right = np.bincount(labels[answers == labels], minlength=size)
    return [
        {
            "category_id": leaves[number].id,
            "examples": int(examples[number]),
            "precision": round(float(right[number] / answered[number]), 4) if answered[number] else None,
            "recall": round(float(right[number] / examples[number]), 4),
        }
        for number in np.flatnonzero(examples).tolist()
    ]


def _confusions(answers: Integers, labels: Integers, leaves: Sequence[Category]) -> list[Figures]:
    wrong = np.flatnonzero(answers != labels)
    pairs, counts = np.unique(np.column_stack([labels[wrong], answers[wrong]]), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_CONFUSIONS]
    return [
        {"category_id": leaves[truth].id, "answered_id": leaves[answer].id, "count": count}
        for (truth, answer), count in zip(pairs[order].tolist(), counts[order].tolist(), strict=True)
    ]


def _coverage(honest: Floats, right: Truths, precision: float) -> Figures:
    threshold = fit_threshold(honest, right, precision)
    coverage = float(np.mean(honest >= threshold)) if threshold is not None else 0.0
    return {"precision": precision, "coverage": round(coverage, 4), "threshold": threshold}
