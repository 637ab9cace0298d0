"""What a classifier has learned from labelled products, and how good it was on products it had not seen.

Every leaf's name, keywords and path form a pseudo-product, so that one model covers labelled and unlabelled
leaves. Its probabilities are blended with those of the cold start, leaf by leaf, as long as a leaf has few
examples. Confidence, threshold and figures come from out-of-fold predictions; titles that differ only in
size, colour or pack lie in one fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.calibration import (
    FEWEST_ROWS,
    Floats,
    Logistic,
    Truths,
    expected_calibration_error,
    fit_temperature,
    fit_threshold,
    signals,
    softmax,
)
from classification.engine.data import Category, Evidence, Example, Text
from classification.engine.features import Features
from classification.engine.model import LinearModel
from classification.engine.text import near_identity

Integers = NDArray[np.int64]
Figures = dict[str, float | int | None]

_MOST_CELLS = 10_000_000
_FOLDS, _FOLDS_OF_MANY, _MANY = 5, 3, 2_000
_START_TEMPERATURE = 0.15
_LABELS_OF_COLD_SHARES = (0, 2, 5, 10)
_COLD_SHARES = (0.5, 0.4, 0.15, 0.0)


def cold_shares(labels: Integers, leaves: int) -> Floats:
    """How much of a leaf's probability comes from the cold start: .5 without examples, none from ten on."""
    counts = np.bincount(labels, minlength=leaves)
    return np.asarray(np.interp(counts, _LABELS_OF_COLD_SHARES, _COLD_SHARES), dtype=np.float64)


def blend(cold: Floats, learned: Floats, shares: Floats) -> Floats:
    """Mix two sets of probabilities of shape (rows, leaves); a cold row of zeros has no say."""
    own = np.where(cold.sum(axis=1, keepdims=True) > 0, shares, 0.0)
    mixed = own * cold + (1.0 - own) * learned
    return np.asarray(mixed / mixed.sum(axis=1, keepdims=True), dtype=np.float64)


class Confidence(NamedTuple):
    """How probabilities become the confidence of the first answer, and from where it may be trusted."""

    logistic: Logistic
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Learned:
    """Features, model and calibration; ``confidence`` is None below 100 examples."""

    features: Features
    model: LinearModel
    temperature: float
    shares: Floats
    confidence: Confidence | None

    def needs_cold_start(self) -> bool:
        """Whether the cold start has a say, in the ranking of any leaf or in the confidence."""
        return self.confidence is None or bool(self.shares.any())

    def probabilities(self, rows: csr_matrix, cold: Floats) -> Floats:
        """Blended probabilities of shape (rows, leaves) for rows of features."""
        return blend(cold, softmax(self.model.scores(rows), self.temperature), self.shares)

    def explain(self, row: csr_matrix, leaf: int, most: int = 8) -> tuple[Evidence, ...]:
        """Words and pairs of words that spoke for a leaf; runs of letters where no word did."""
        first_word = len(self.features.grams.names)
        columns, added = self.model.contributions(row.indices, row.data, leaf)
        spoken = columns >= first_word
        if spoken.any():
            columns, added = columns[spoken], added[spoken]
        found = zip(columns[: 2 * most].tolist(), added[: 2 * most].tolist(), strict=True)
        named = ((self.features.name_of(column).strip(), weight) for column, weight in found)
        return tuple(Evidence(term, round(weight, 4)) for term, weight in named if term)[:most]


def document(leaf: Category) -> Text:
    """A leaf as if it were a product: its keywords and path describe it."""
    return Text(name=leaf.name, description=" ".join((*leaf.keywords, leaf.path)))


def learn(
    leaves: Sequence[Category],
    examples: Sequence[Example],
    labels: Integers,
    read: Callable[[Sequence[Text]], Floats],
    promised: float,
) -> tuple[Learned, Figures]:
    """Fit on the examples.

    ``labels`` are their leaf numbers, ``read`` gives the probabilities of the cold start, of shape (texts,
    leaves), and ``promised`` is the share of certain answers that must be right.
    """
    texts = [example.text for example in examples]
    features = Features.fit([*texts, *(document(leaf) for leaf in leaves)])
    rows = features.transform([*texts, *(document(leaf) for leaf in leaves)])
    all_labels = np.concatenate([labels, np.arange(len(leaves))])
    folds = _folds_of(texts)
    sample = _sample(len(texts), len(leaves))
    scores, shares = _out_of_fold(rows, all_labels, folds, sample, len(leaves))
    temperature = (
        fit_temperature(scores, labels[sample]) if len(sample) >= FEWEST_ROWS else _START_TEMPERATURE
    )
    cold = read([texts[number] for number in sample])
    probabilities = blend(cold, softmax(scores, temperature), shares)
    confidence, figures = calibrate(probabilities, labels[sample], folds[sample], promised)
    model = LinearModel.fit(rows, all_labels, len(leaves))
    return Learned(features, model, temperature, cold_shares(labels, len(leaves)), confidence), figures


def _folds_of(texts: Sequence[Text]) -> Integers:
    """A fold for each text, the same for near-identical titles, whatever their order."""
    folds = _FOLDS_OF_MANY if len(texts) > _MANY else _FOLDS
    keys = (near_identity(text.name) or text.name for text in texts)
    return np.array([crc32(key.encode("utf-8", "ignore")) % folds for key in keys], dtype=np.int64)


def _sample(rows: int, leaves: int) -> Integers:
    """The rows to measure with, evenly spread: all of them, or as many as memory allows."""
    most = max(FEWEST_ROWS, _MOST_CELLS // leaves)
    return np.arange(rows) if rows <= most else np.linspace(0, rows - 1, most).astype(np.int64)


def _out_of_fold(
    rows: csr_matrix, labels: Integers, folds: Integers, sample: Integers, leaves: int
) -> tuple[Floats, Floats]:
    """Scores of the sampled examples from models that have not seen their folds, and the cold shares.

    ``rows`` and ``labels`` hold the examples and then the documents of the leaves, which all models see.
    """
    scores, shares = np.zeros((len(sample), leaves)), np.zeros((len(sample), leaves))
    documents = np.arange(len(folds), len(labels))
    for fold in np.unique(folds[sample]):
        inside, outside = np.flatnonzero(folds[sample] == fold), np.flatnonzero(folds != fold)
        kept = np.concatenate([outside, documents])
        scores[inside] = LinearModel.fit(rows[kept], labels[kept], leaves).scores(rows[sample[inside]])
        shares[inside] = cold_shares(labels[outside], leaves)
    return scores, shares


def calibrate(
    probabilities: Floats, labels: Integers, folds: Integers, promised: float
) -> tuple[Confidence | None, Figures]:
    """Fit confidence and threshold on out-of-fold probabilities, and measure what they are worth.

    The figures are cross-fitted: the confidence of a fold comes from a regression on the other folds.
    """
    right = np.asarray(probabilities.argmax(axis=1) == labels)
    figures: Figures = {
        "accuracy": float(right.mean()),
        "top_5_accuracy": _top_accuracy(probabilities, labels, 5),
    }
    if len(labels) < FEWEST_ROWS or len(np.unique(folds)) < 2:
        return None, figures
    found = signals(probabilities)
    honest = _cross_fitted(found, right, folds)
    threshold = fit_threshold(honest, right, promised)
    accepted = honest >= threshold if threshold is not None else np.zeros(len(right), dtype=bool)
    figures["ece"] = expected_calibration_error(honest, right)
    figures["threshold"] = threshold
    figures["coverage"] = float(accepted.mean())
    figures["precision"] = float(right[accepted].mean()) if accepted.any() else None
    return Confidence(Logistic.fit(found, right), threshold), figures


def _cross_fitted(found: Floats, right: Truths, folds: Integers) -> Floats:
    honest = np.zeros(len(right))
    for fold in np.unique(folds):
        inside = folds == fold
        honest[inside] = Logistic.fit(found[~inside], right[~inside]).predict(found[inside])
    return honest


def _top_accuracy(probabilities: Floats, labels: Integers, top: int) -> float:
    own = probabilities[np.arange(len(labels)), labels][:, None]
    return float(((probabilities > own).sum(axis=1) < top).mean())
