"""What the cold start sees in a batch of texts: scores, probabilities, confidences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classification.engine.data import Evidence, Text

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]
Explainer = Callable[[Text, int], tuple[Evidence, ...]]

LEAST_SCORE = 0.2
_SHARPNESS = 8.0
_BIAS, _SIGNAL_WEIGHTS = -5.0, (2.0, 3.0, 1.5, -2.0)


@dataclass(frozen=True, slots=True)
class Readings:
    """``scores`` has the shape (texts, leaves); the other arrays have one number for each text.

    ``possible`` is the score that a perfect match of all known words would have, ``head_share`` how much of the
    worth of the head noun the best leaf got (1 for a text without a known head). ``explainer`` names the words of
    a text that spoke for a leaf.
    """

    texts: Sequence[Text]
    scores: Floats
    possible: Floats
    head_share: Floats
    explainer: Explainer

    def explain(self, row: int, leaf: int) -> tuple[Evidence, ...]:
        """The words of one of the texts that spoke for a leaf, strongest first; found when asked for."""
        return self.explainer(self.texts[row], leaf)

    def is_known(self) -> Truths:
        """Whether anything in each text speaks for any leaf."""
        return np.asarray(self.scores.max(axis=1, initial=0.0) >= LEAST_SCORE)

    def best(self) -> Integers:
        """The number of the best leaf of each text, the first of equal ones."""
        return np.asarray(self.scores.argmax(axis=1), dtype=np.int64)

    def probabilities(self) -> Floats:
        """Scores as probabilities, exp(sharpness * score / best score); a row of zeros where nothing is known.

        Leaves without a score have no probability.
        """
        best = self.scores.max(axis=1, initial=0.0)
        powers = np.zeros_like(self.scores)
        rows, leaves = np.nonzero(self.scores)
        powers[rows, leaves] = np.exp(_SHARPNESS * (self.scores[rows, leaves] / best[rows] - 1.0))
        totals = powers.sum(axis=1, keepdims=True)
        return np.asarray(powers / np.where(totals > 0, totals, 1.0), dtype=np.float64)

    def signals(self) -> Floats:
        """Signals of shape (texts, 4) of how sure the best leaf is.

        How much of the text it explains, how far it is from the next leaf, the weight of the words that it
        explains, and how much of the head noun it leaves unexplained.
        """
        first, second = self._two_best()
        explained = first / np.where(self.possible > 0, self.possible, 1.0)
        gap = (first - second) / np.where(first > 0, first, 1.0)
        return np.stack([explained, gap, np.log1p(first), 1.0 - self.head_share], axis=1)

    def confidence(self) -> Floats:
        """How likely the best leaf of each text is right, by a logistic that was fitted once for all taxonomies.

        0 where nothing is known.
        """
        values = _BIAS + self.signals() @ np.array(_SIGNAL_WEIGHTS)
        return np.where(self.is_known(), 1.0 / (1.0 + np.exp(-values)), 0.0)

    def _two_best(self) -> tuple[Floats, Floats]:
        if self.scores.shape[1] < 2:
            return self.scores.max(axis=1, initial=0.0), np.zeros(len(self.scores))
        found = np.partition(self.scores, -2, axis=1)[:, -2:]
        return found[:, 1], found[:, 0]
