"""What out-of-fold predictions are worth: confidence and thresholds fitted on them, and the figures to show.

Every figure is cross-fitted: the confidence of a fold comes from a regression on the other folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classification.engine.calibration import (
    FEWEST_ROWS,
    Logistic,
    Truths,
    expected_calibration_error,
    fit_threshold,
    logit,
    reliability,
)
from classification.engine.data import Category
from classification.engine.observation import (
    ColdView,
    confidence_signals,
    gate_signals,
    is_backed,
    top_probabilities,
    two_greatest,
)
from classification.engine.out_of_fold import Unseen
from classification.engine.tree import Tree

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Figures = dict[str, Any]

_PRECISIONS = (0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)
_MOST_CONFUSIONS = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """Predictions for unseen texts, their probabilities of shape (rows, leaves), and what the cold start says of them
    where it has a say.
    """

    unseen: Unseen
    probabilities: NDArray[np.float32]
    cold: ColdView | None

    @property
    def labels(self) -> Integers:
        """The leaves that are right."""
        return self.unseen.labels

    def is_backed(self, *, is_proven: bool, trusts_cold: bool) -> Truths:
        """Which answers may be certain; ``is_proven`` says whether labels are enough for that."""
        best = self.probabilities.argmax(axis=1)
        has_labels = self.unseen.counts[np.arange(len(best)), best] > 0
        return is_backed(best, has_labels & is_proven, self.cold, trusts_cold=trusts_cold)

    def gate_signals(self) -> Floats:
        """What the gate looks at."""
        return gate_signals(two_greatest(self.unseen.scores), self.unseen.familiarity, self.cold)

    def signals(self) -> Floats:
        """What confidence depends on."""
        leaves, best = top_probabilities(self.probabilities)
        return confidence_signals(best, leaves[:, 0], self.unseen.familiarity, self.cold)

    def right(self) -> Truths:
        """Whether the first answer is the true one."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)


def cross_fitted(measured: Measured) -> Floats:
    """The confidence of each first answer by a regression on the other folds."""
    found, right = measured.signals(), measured.right()
    honest = np.zeros(len(right))
    for fold in np.unique(measured.unseen.folds):
        inside = measured.unseen.folds == fold
        honest[inside] = Logistic.fit(found[~inside], right[~inside]).predict(found[inside])
    return honest


def ranking_figures(measured: Measured) -> Figures:
    """How often the first answer is right, and how often one of five."""
    return {
        "accuracy": float(measured.right().mean()),
        "top_5_accuracy": _top_accuracy(measured.probabilities, measured.labels, 5),
    }


def confidence_figures(
    measured: Measured,
    honest: Floats,
    accepted: Truths,
    threshold: float | None,
    leaves: Sequence[Category],
    tree: Tree,
) -> Figures:
    """What the confidences are worth, and the accepted answers."""
    right = measured.right()
    return {
        "ece": expected_calibration_error(honest, right),
        "threshold": threshold,
        "coverage": float(accepted.mean()),
        "precision": float(right[accepted].mean()) if accepted.any() else None,
        "report": _report(measured, honest, leaves, tree),
    }


def _top_accuracy(probabilities: NDArray[np.float32], labels: Integers, top: int) -> float:
    own = probabilities[np.arange(len(labels)), labels][:, None]
    return float(((probabilities > own).sum(axis=1) < top).mean())


def fit_back_off(
    measured: Measured, honest: Floats, accepted: Truths, tree: Tree, promised: float
) -> tuple[Logistic | None, float | None]:
    """How likely the right leaf lies below a node over the best one, and from where on this may be trusted.

    Fitted on the answers that are not accepted. Where these are too few all serve, and as most of them are right
    anyway, the node must be as likely as is promised.
    """
    best = measured.probabilities.argmax(axis=1)
    rows, nodes = pairs_above(best, np.flatnonzero(~accepted), tree)
    is_enough = len(rows) >= FEWEST_ROWS
    if not is_enough:
        rows, nodes = pairs_above(best, np.arange(len(best)), tree)
    if len(rows) < FEWEST_ROWS:
        return None, None
    given = logit(mass_above(measured.probabilities, honest, rows, nodes, tree))[:, None]
    below = np.asarray(tree.members[measured.labels[rows], nodes]).ravel() > 0
    logistic = Logistic.fit(given, below)
    threshold = fit_threshold(logistic.predict(given), below, promised)
    return logistic, threshold if threshold is None or is_enough else max(threshold, promised)


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
