"""Ranking the leaves of a taxonomy without any example: from names, keywords, paths and unlabelled products."""

from collections.abc import Sequence

import numpy as np

from classification.engine.data import Category, Text
from classification.engine.phrases import leaves_of, phrases_of
from classification.engine.ranking import ProductFrequencies, Ranking
from classification.engine.readings import COLD_THRESHOLD
from classification.engine.thesaurus import borrow

__all__ = ["COLD_THRESHOLD", "ColdStart", "ProductFrequencies", "pseudo_labels"]

_BATCH = 512


class ColdStart(Ranking):
    """The ranking of a taxonomy; build it once, threads may share it."""

    def __init__(self, categories: Sequence[Category], frequencies: ProductFrequencies | None = None) -> None:
        self.leaves = leaves_of(categories)
        phrases = phrases_of(categories, self.leaves, borrow(self.leaves))
        super().__init__(phrases, len(self.leaves), frequencies or ProductFrequencies())


def pseudo_labels(cold: ColdStart, texts: Sequence[Text], share: float = 0.5) -> list[tuple[int, int]]:
    """The most certain ``share`` of the texts with what the cold start takes them for, in the order of the texts.

    Each is the number of a text and the number of a leaf in ``cold.leaves``. They are for self-training
    (D.-H. Lee, "Pseudo-Label", 2013): a model fitted on them learns what else goes with the words of the
    categories. They are guesses, and must not be shown as labels.
    """
    confidences, best = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(texts), _BATCH):
        readings = cold.read(texts[start : start + _BATCH])
        confidences.append(readings.confidence())
        best.append(readings.best)
    sure, leaves = np.concatenate(confidences), np.concatenate(best)
    order = np.argsort(-sure, kind="stable")[: int(share * len(texts))]
    return [(int(number), int(leaves[number])) for number in np.sort(order) if sure[number] > 0]
