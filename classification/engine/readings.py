"""What the cold start sees in a batch of texts: scores, probabilities, confidences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classification.engine.data import Evidence, Text

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]
# Of a leaf.
Explainer = Callable[[int], tuple[Evidence, ...]]

COLD_THRESHOLD = 0.9
SIGNALS = 4
LEAST_SCORE = 0.2
_SHARPNESS = 8.0
_BIAS, _OF_GAP, _OF_STRENGTH, _OF_BOTH, _OF_UNKNOWN = -1.5, 1.5, 2.2, 1.2, -1.1


@dataclass(frozen=True, slots=True)
class LeafValues:
    """Values of shape (texts, leaves), nearly all of them zero: the others with their rows, ascending, and leaves.

    To make a sparse matrix takes as long as to read a text.
    """

    rows: Integers
    leaves: Integers
    values: Floats
    shape: tuple[int, int]

    def toarray(self, dtype: type = np.float64) -> NDArray[Any]:
        """All values."""
        dense: NDArray[Any] = np.zeros(self.shape, dtype)
        dense[self.rows, self.leaves] = self.values
        return dense

    def of(self, leaves: Integers) -> Floats:
        """The value of one leaf of each text."""
        own = self.leaves == leaves[self.rows]
        return np.asarray(np.bincount(self.rows[own], self.values[own], minlength=self.shape[0]), np.float64)


@dataclass(frozen=True, slots=True)
class Readings:
    """``scores`` has the shape (texts, leaves), with an entry for each leaf that any word speaks for.

    ``best`` is the number of the best leaf of each text, the first of equal ones and 0 where there is none, and
    ``highest`` its score. ``signals`` has the shape (texts, SIGNALS).

    The signals say how sure the best leaf is: how much of the known words it explains, how far it is from the
    next leaf (from 0 to 1), the strength ln(1 + score / weight of a word that only one leaf has), and ln(1 + the
    number of words of content in the title that no category has). ``explainer`` gives for a text what names its words
    that spoke for a leaf; ``explainers`` are those already given, by row.
    """

    texts: Sequence[Text]
    scores: LeafValues
    best: Integers
    highest: Floats
    signals: Floats
    explainer: Callable[[Text], Explainer]
    explainers: dict[int, Explainer] = field(default_factory=dict, repr=False, compare=False)

    def explain(self, row: int, leaf: int) -> tuple[Evidence, ...]:
        """The words of one of the texts that spoke for a leaf, strongest first; found when asked for."""
        if row not in self.explainers:
            self.explainers[row] = self.explainer(self.texts[row])
        return self.explainers[row](leaf)

    def is_known(self) -> Truths:
        """Whether anything in each text speaks for any leaf."""
        return self.highest >= LEAST_SCORE

    def probabilities(self) -> LeafValues:
        """Scores as probabilities, exp(sharpness * score / best score); a row of zeros where nothing is known.

        Leaves without a score have no probability.
        """
        rows = self.scores.rows
        powers = np.exp(_SHARPNESS * (self.scores.values / self.highest[rows] - 1.0)) * self.is_known()[rows]
        totals = np.bincount(rows, powers, minlength=len(self.highest))
        return replace(self.scores, values=powers / np.where(totals > 0, totals, 1.0)[rows])

    def confidence(self) -> Floats:
        """How likely the best leaf of each text is right; 0 where nothing is known.

        A logistic of the gap, the strength, their product and the unknown words. It was fitted once on four
        catalogues, with and without keywords, by title and by whole text, and on texts of foreign domains, all
        together, and rounded. A score means the same in every taxonomy, so it serves ones that it has not seen.
        """
        gap, strength, unknown = self.signals[:, 1], self.signals[:, 2], self.signals[:, 3]
        value = (
            _BIAS
            + _OF_GAP * gap
            + _OF_STRENGTH * strength
            + _OF_BOTH * gap * strength
            + _OF_UNKNOWN * unknown
        )
        return np.where(self.is_known(), 1.0 / (1.0 + np.exp(-value)), 0.0)

    def explained(self, leaves: Integers) -> Floats:
        """How much of the known words of each text the leaf given for it explains."""
        own = self.scores.of(leaves)
        return np.asarray(self.signals[:, 0] * own / np.where(self.highest > 0, self.highest, 1.0))
