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

COLD_THRESHOLD = 0.9
SIGNALS = 7
LEAST_SCORE = 0.2
_SHARPNESS = 8.0
_BIAS = -5.0
_WEIGHTS = np.array([2.0, 3.0, 1.5, 2.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Readings:
    """``scores`` has the shape (texts, leaves), ``signals`` the shape (texts, SIGNALS).

    The signals say how sure the best leaf is: how much of the known words it explains, how far it is from the
    next leaf, the logarithm of its score, how well it explains the head noun, which part of its score the title
    gave, how completely the title has one of its phrases, and the logarithm of the number of words of content in
    the title that no category has. ``explainer`` names the words of a text that spoke for a leaf.
    """

    texts: Sequence[Text]
    scores: Floats
    signals: Floats
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

    def confidence(self) -> Floats:
        """How likely the best leaf of each text is right, by a logistic that was fitted once for all taxonomies.

        0 where nothing is known.
        """
        return np.where(self.is_known(), 1.0 / (1.0 + np.exp(-_BIAS - self.signals @ _WEIGHTS)), 0.0)

    def explained(self, leaves: Integers) -> Floats:
        """How much of the known words of each text the leaf given for it explains."""
        rows = np.arange(len(self.scores))
        best = self.scores.max(axis=1, initial=0.0)
        return np.asarray(self.signals[:, 0] * self.scores[rows, leaves] / np.where(best > 0, best, 1.0))
