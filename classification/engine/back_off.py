"""What is certain where the leaf is not: the nearest category above it that can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classification.engine.calibration import Confidence, logit
from classification.engine.data import BackOff, Candidate
from classification.engine.readings import COLD_THRESHOLD
from classification.engine.report import mass_above, pairs_above
from classification.engine.tree import Tree

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_OPEN = 10


@dataclass(frozen=True, slots=True)
class Unsure:
    """Rows whose leaf is not certain: their numbers in the batch, the confidence of the best leaf, and the
    probabilities of all leaves, of shape (rows, leaves)."""

    numbers: Integers
    confidences: Floats
    probabilities: NDArray[np.float32]


def back_offs(
    unsure: Unsure, tree: Tree, category_ids: Sequence[int], confidence: Confidence | None
) -> dict[int, BackOff]:
    """The nearest node over the best leaf that is certain, by the number of the row.

    ``confidence`` says from where on a node may be trusted; without it, nodes must be as likely as what the cold start
    is sure of.
    """
    found: dict[int, BackOff] = {}
    if confidence is not None and confidence.above_threshold is None:
        return found
    best = unsure.probabilities.argmax(axis=1)
    rows, nodes = pairs_above(best, np.arange(len(best)), tree)
    if not len(rows):
        return found
    mass = mass_above(unsure.probabilities, unsure.confidences, rows, nodes, tree)
    chances, threshold = _trusted(mass, confidence)
    for number in np.flatnonzero(chances >= threshold).tolist():
        row, node = int(rows[number]), int(nodes[number])
        if (own := int(unsure.numbers[row])) not in found:
            open_below = _open_below(unsure, row, tree.below[node], category_ids)
            found[own] = BackOff(tree.ids[node], round(float(chances[number]), 4), open_below)
    return found


def _trusted(mass: Floats, confidence: Confidence | None) -> tuple[Floats, float]:
    """How likely the right leaf lies below each node, and how likely it must be."""
    if confidence is None:
        return mass, COLD_THRESHOLD
    if confidence.above is None or confidence.above_threshold is None:
        return mass, np.inf
    return confidence.above.predict(logit(mass)[:, None]), confidence.above_threshold


def _open_below(
    unsure: Unsure, row: int, leaves: Integers, category_ids: Sequence[int]
) -> tuple[Candidate, ...]:
    """The leaves below a node that the answer may be, the best first: it keeps its confidence."""
    own = unsure.probabilities[row, leaves]
    order = np.argsort(-own, kind="stable")[:_MOST_OPEN]
    first, *chances = own[order].tolist()
    confidence = float(unsure.confidences[row])
    rest = max(1e-9, 1.0 - first)
    shares = [confidence, *(min((1.0 - confidence) * chance / rest, confidence) for chance in chances)]
    return tuple(
        Candidate(category_ids[leaf], round(share, 4))
        for leaf, share, chance in zip(leaves[order].tolist(), shares, (1.0, *chances), strict=True)
        if chance > 0
    )
