"""Predictions about labelled products by models that have not seen them, as a sample of what is to come.

Titles that differ only in size, colour or pack lie in one fold. What is to come also has products of leaves that
nobody has labelled yet, and about these a model is often wrong with a wide lead. So where leaves lack labels, whole
leaves are held back as well, and rows of such leaves are in the sample as often as they are expected to come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.calibration import FEWEST_DIFFERENT, FEWEST_ROWS, Truths
from classification.engine.data import Text
from classification.engine.features import Features, familiarity_of
from classification.engine.model import ROUGH_TOLERANCE, TOLERANCE, LinearModel
from classification.engine.text import near_identity

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

_MOST_CELLS = 6_000_000
_FOLDS, _FOLDS_OF_MANY, _MANY = 5, 3, 6_000
FEW_UNLABELLED = 0.1
_LABELS_TO_HALVE = 5_000


@dataclass(frozen=True, slots=True)
class Material:
    """What is learned from: ``rows`` are the texts and then the documents of the leaves, which all models see.

    ``labels`` are the leaf numbers of the texts.
    """

    features: Features
    rows: csr_matrix
    texts: Sequence[Text]
    labels: Integers
    leaves: int

    @property
    def all_labels(self) -> Integers:
        """The labels of all rows: each document belongs to its own leaf."""
        return np.concatenate([self.labels, np.arange(self.leaves)])

    @property
    def is_large(self) -> bool:
        """Whether there are so many texts that fewer folds and rougher models tell enough."""
        return len(self.texts) > _MANY

    @property
    def unlabelled(self) -> float:
        """The share of the leaves that have no label."""
        return 1 - len(np.unique(self.labels)) / self.leaves

    @property
    def expected_new(self) -> float:
        """The share of products to come that may be of leaves without labels.

        Without labels it is the share of these leaves. The more labels there are among which none is of these leaves,
        the rarer their products seem to be; but labels are no random sample, so it takes thousands to believe it.
        """
        return self.unlabelled * _LABELS_TO_HALVE / (_LABELS_TO_HALVE + len(self.labels))


_COLUMNS = ("numbers", "identities", "folds", "labels", "scores", "familiarity", "counts")


@dataclass(slots=True)
class Unseen:
    """One entry a prediction: the number of the text, its identity (the same for near-identical titles), its fold and
    label, and what a model that has not seen it says.

    ``counts`` are the labels that this model had for each leaf, of shape (rows, leaves) as ``scores`` are, and
    ``familiarity`` has three columns. ``has_new_leaves`` says that whole leaves were held back for some rows.
    """

    numbers: Integers
    identities: Integers
    folds: Integers
    labels: Integers
    scores: Floats
    familiarity: NDArray[np.float64]
    counts: NDArray[np.int32]
    has_new_leaves: bool = False

    def is_new(self) -> Truths:
        """Whether the model had no label of the leaf that is right."""
        return np.asarray(self.counts[np.arange(len(self.labels)), self.labels] == 0)

    def is_enough(self) -> bool:
        """Whether there is anything to fit confidence on: enough rows that differ, in two folds."""
        is_varied = len(np.unique(self.identities)) >= FEWEST_DIFFERENT and len(np.unique(self.folds)) > 1
        return is_varied and len(self.labels) >= FEWEST_ROWS

    def take(self, rows: Integers) -> "Unseen":
        """Some of the rows."""
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return Unseen(**columns)

    def join(self, other: "Unseen") -> "Unseen":
        """The rows of both."""
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _COLUMNS
        }
        return Unseen(**columns, has_new_leaves=True)


def predict_unseen(material: Material) -> Unseen:
    """Predictions for a sample of the texts, as many as memory allows."""
    identities = np.array([_identity(text) for text in material.texts], dtype=np.int64)
    count = _FOLDS_OF_MANY if material.is_large else _FOLDS
    folds = identities % count
    known = _predict(material, folds, identities, folds)
    expected, share = material.expected_new, float(known.is_new().mean())
    if expected <= max(FEW_UNLABELLED, share):
        return known
    leaves = np.unique(material.labels, return_inverse=True)[1] % count
    new = _predict(material, leaves, identities, folds)
    # With k known and n new rows, the share of new ones is (share * k + n) / (k + n).
    ratio = (expected - share) / (1 - expected)
    return known.take(_spread(len(known.labels), len(new.labels) / ratio)).join(
        new.take(_spread(len(new.labels), len(known.labels) * ratio))
    )


def _identity(text: Text) -> int:
    """The same for near-identical titles, whatever their order."""
    return crc32((near_identity(text.name) or text.name).encode("utf-8", "ignore"))


def _spread(rows: int, most: float) -> Integers:
    """The numbers of at most so many rows, evenly spread."""
    return np.arange(rows) if rows <= most else np.linspace(0, rows - 1, int(most)).astype(np.int64)


def _predict(material: Material, groups: Integers, identities: Integers, folds: Integers) -> Unseen:
    """Predictions for the texts of each group by a model of all others; ``identities`` and ``folds`` are noted."""
    leaves, labels = material.leaves, material.labels
    sample = _spread(len(labels), max(FEWEST_ROWS, _MOST_CELLS // leaves))
    shape = (len(sample), leaves)
    unseen = Unseen(
        sample,
        identities[sample],
        folds[sample],
        labels[sample],
        np.zeros(shape, dtype=np.float32),
        np.zeros((len(sample), 3)),
        np.zeros(shape, dtype=np.int32),
    )
    tolerance = ROUGH_TOLERANCE if material.is_large else TOLERANCE
    documents = np.arange(len(labels), material.rows.shape[0])
    for group in np.unique(groups[sample]):
        inside, outside = np.flatnonzero(groups[sample] == group), np.flatnonzero(groups != group)
        kept = np.concatenate([outside, documents])
        model = LinearModel.fit(material.rows[kept], material.all_labels[kept], leaves, tolerance)
        unseen.scores[inside] = model.scores(material.rows[sample[inside]])
        unseen.counts[inside] = np.bincount(labels[outside], minlength=leaves)
        known = material.features.keep(model.used_columns())
        unseen.familiarity[inside] = familiarity_of(known, [material.texts[one] for one in sample[inside]])
    return unseen
