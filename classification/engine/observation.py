"""What is seen in a batch of texts, and which signals of it confidence and the gate look at."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.calibration import logit
from classification.engine.features import Batch, Occurrences
from classification.engine.readings import COLD_THRESHOLD, Readings

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

TOP = 3
_SMALLEST = 1e-6


class ColdView(NamedTuple):
    """What the cold start says of each text, one entry a row: its best leaf, how sure it is of it, ln(1 + the number of
    words of content in the title that no category has)."""

    best: Integers
    confidence: Floats
    unknown: Floats

    @classmethod
    def of(cls, readings: Readings) -> "ColdView":
        """The view of some readings."""
        return cls(readings.best, readings.confidence(), readings.signals[:, 3])


@dataclass(frozen=True, slots=True)
class Observation:
    """What model and cold start see in a batch, but for the probabilities of all leaves, which take much memory.

    ``leading`` are the two greatest scores of each row, ``familiarity`` has the shape (rows, 3); ``readings`` is None
    where the cold start has no say. Reasons are found in ``batch``, ``occurrences`` and ``rows``.
    """

    batch: Batch
    occurrences: Occurrences
    rows: csr_matrix
    leading: NDArray[np.float32]
    familiarity: Floats
    readings: Readings | None

    @property
    def cold(self) -> ColdView | None:
        """What the cold start says, where it has a say."""
        return None if self.readings is None else ColdView.of(self.readings)


def top_probabilities(probabilities: NDArray[np.float32], most: int = TOP) -> tuple[Integers, Floats]:
    """The leaves with the greatest probabilities, best first, and these; ones that do not exist have none."""
    count = min(most, probabilities.shape[1])
    if count < probabilities.shape[1]:
        leaves = np.argpartition(probabilities, -count, axis=1)[:, -count:]
    else:
        leaves = np.broadcast_to(np.arange(count), probabilities.shape)
    values = np.take_along_axis(probabilities, leaves, axis=1)
    order = np.lexsort((leaves, -values), axis=1)
    leaves, values = np.take_along_axis(leaves, order, axis=1), np.take_along_axis(values, order, axis=1)
    if count < TOP:
        values = np.pad(values, ((0, 0), (0, TOP - count)))
    return leaves, values.astype(np.float64)


def confidence_signals(best: Floats, leaves: Integers, familiarity: Floats, cold: ColdView | None) -> Floats:
    """What the confidence of the first answer may depend on, of shape (rows, 6), or (rows, 9) beside a cold start.

    ``best`` are the three greatest probabilities of each row, in descending order: the log odds of the first, and
    the logarithms of its ratios to the second and the third. ``familiarity`` has three more columns. The cold start
    adds how sure it is of the same leaf, how sure of another one, and how many words it does not know.
    """
    first, second, third = np.maximum(best, _SMALLEST).T
    columns = [logit(first), np.log(first / second), np.log(first / third), familiarity]
    if cold is not None:
        agrees = cold.best == leaves
        columns += [cold.confidence * agrees, cold.confidence * ~agrees, cold.unknown]
    return np.column_stack(columns)


def is_backed(leaves: Integers, is_proven: Truths, cold: ColdView | None, *, trusts_cold: bool) -> Truths:
    """Whether an answer may be certain: its leaf is proven, or the cold start is trusted and sure of it.

    ``is_proven`` says so of the leaf of each row.
    """
    if cold is None or not trusts_cold:
        return is_proven
    return is_proven | ((cold.best == leaves) & (cold.confidence >= COLD_THRESHOLD))


def two_greatest(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The two greatest scores of each row, in descending order; a single leaf leads by one."""
    if scores.shape[1] == 1:
        return np.hstack([scores, scores - 1])
    # A copy, as a view would keep all scores in memory.
    return np.partition(scores, -2, axis=1)[:, :-3:-1].copy()


def gate_signals(leading: NDArray[np.float32], familiarity: Floats, cold: ColdView | None) -> Floats:
    """What the gate looks at, of shape (rows, 5), or (rows, 7) beside a cold start.

    Familiarity, the best score and its lead over the second; how sure the cold start is, and how many words it does
    not know.
    """
    columns: list[NDArray[Any]] = [familiarity, leading[:, 0], leading[:, 0] - leading[:, 1]]
    return np.column_stack(columns if cold is None else [*columns, cold.confidence, cold.unknown])
