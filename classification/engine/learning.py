"""What a classifier has learned from labelled products, and how good it was on products it had not seen.

Every leaf's name, keywords and path form a pseudo-product, so that one model covers labelled and unlabelled
leaves. Its probabilities are blended with those of the cold start, leaf by leaf, as long as a leaf has few
examples. Confidence, thresholds and figures come from out-of-fold predictions; titles that differ only in size,
colour or pack lie in one fold. Where nothing is labelled, the most certain answers of the cold start take the place
of labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.calibration import (
    FEWEST_DIFFERENT,
    FEWEST_ROWS,
    Confidence,
    Truths,
    fit_temperature,
    softmax,
)
from classification.engine.data import Category, Example, Text
from classification.engine.explanation import Exemplars
from classification.engine.features import Features, batch_of, familiarity
from classification.engine.gate import Gate, foreign_trades, gate_signals
from classification.engine.model import LinearModel
from classification.engine.report import Figures, Measured, measure
from classification.engine.text import near_identity
from classification.engine.tree import Tree

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
ColdReader = Callable[[Sequence[Text]], Floats]

_MOST_CELLS = 6_000_000
_FOLDS, _FOLDS_OF_MANY, _MANY = 5, 3, 6_000
_START_TEMPERATURE = 0.15
_LABELS_OF_COLD_SHARES = (0, 2, 5, 10)
_COLD_SHARES = (0.5, 0.4, 0.15, 0.0)
# Reading the cold start takes ten times as long as the model, so it must be worth that.
_LEAST_GAIN = 0.005
_FEW_UNLABELLED = 0.1
_ROWS_AT_ONCE = 1_000
_SELF_TRAINING_TEMPERATURE, _SELF_TRAINING_COLD_SHARE = 0.08, 0.35


def cold_shares(labels: Integers, leaves: int) -> Floats:
    """How much of a leaf's probability comes from the cold start: .5 without examples, none from ten on."""
    counts = np.bincount(labels, minlength=leaves)
    return np.interp(counts, _LABELS_OF_COLD_SHARES, _COLD_SHARES).astype(np.float32)


def blend(cold: Floats, learned: Floats, shares: Floats) -> Floats:
    """Mix two sets of probabilities of shape (rows, leaves); a cold row of zeros has no say."""
    own = np.where(cold.sum(axis=1, keepdims=True) > 0, shares, np.float32(0.0))
    mixed = own * cold + (1 - own) * learned
    return np.asarray(mixed / mixed.sum(axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Learned:
    """Features, model and calibration; ``confidence`` and ``gate`` are None below 100 examples, and below 30 that
    differ in more than size.

    ``shares`` is the say of the cold start in each leaf, None where it has none in any.
    """

    features: Features
    model: LinearModel
    temperature: float
    shares: Floats | None
    confidence: Confidence | None
    gate: Gate | None
    exemplars: Exemplars

    def probabilities(self, scores: Floats, cold: Floats | None) -> Floats:
        """Blended probabilities of shape (rows, leaves)."""
        learned = softmax(scores, self.temperature)
        return learned if cold is None or self.shares is None else blend(cold, learned, self.shares)


@dataclass(slots=True)
class _OutOfFold:
    """Predictions for a sample of the examples by models that have not seen their folds.

    ``numbers`` says which examples, ``different`` how many of them are not near-identical to others, and ``shares``
    what the cold start's say was at that time.
    """

    numbers: Integers
    different: int
    folds: Integers
    labels: Integers
    scores: Floats
    familiarity: NDArray[np.float64]
    shares: Floats


def document(leaf: Category) -> Text:
    """A leaf as if it were a product: its keywords and path describe it."""
    return Text(name=leaf.name, description=" ".join((*leaf.keywords, leaf.path)))


def learn(
    leaves: Sequence[Category],
    tree: Tree,
    examples: Sequence[Example],
    labels: Integers,
    read: ColdReader,
    promised: float,
) -> tuple[Learned, Figures]:
    """Fit on the examples.

    ``labels`` are their leaf numbers, ``read`` gives the probabilities of the cold start, of shape (texts,
    leaves), and ``promised`` is the share of certain answers that must be right.
    """
    texts = [example.text for example in examples]
    documents = [document(leaf) for leaf in leaves]
    features = Features.fit([*texts, *documents])
    rows = features.transform([*texts, *documents])
    seen = _out_of_fold(features, rows, texts, labels, len(leaves))
    shares: Floats | None = cold_shares(labels, len(leaves))
    temperature, probabilities, is_blended = _ranked(seen, texts, labels, read, len(leaves))
    if not is_blended:
        shares = None
    measured = Measured(probabilities, seen.labels, seen.folds, seen.familiarity, seen.different)
    confidence, certain, figures = measure(measured, leaves, tree, promised)
    model = LinearModel.fit(rows, np.concatenate([labels, np.arange(len(leaves))]), len(leaves))
    used = model.used_columns()
    kept, model = features.keep(used), model.keep(used)
    gate = _fit_gate(kept, model, seen, certain) if confidence else None
    exemplars = Exemplars.choose(rows[: len(texts)][:, used], kept, [one.id for one in examples], labels)
    return Learned(kept, model, temperature, shares, confidence, gate, exemplars), figures


def learn_from_guesses(leaves: Sequence[Category], texts: Sequence[Text], labels: Integers) -> Learned:
    """Fit on what the cold start takes texts for (D.-H. Lee, "Pseudo-Label", 2013), which nobody has confirmed.

    The model learns what else goes with the words of the categories. Nothing can be measured, so that the answers
    keep the confidence of the cold start.
    """
    documents = [document(leaf) for leaf in leaves]
    features = Features.fit([*texts, *documents])
    rows = features.transform([*texts, *documents])
    model = LinearModel.fit(rows, np.concatenate([labels, np.arange(len(leaves))]), len(leaves))
    used = model.used_columns()
    kept, model = features.keep(used), model.keep(used)
    exemplars = Exemplars.choose(rows[:0, used], kept, [], labels[:0])
    shares = np.full(len(leaves), _SELF_TRAINING_COLD_SHARE, dtype=np.float32)
    return Learned(kept, model, _SELF_TRAINING_TEMPERATURE, shares, None, None, exemplars)


def _ranked(
    seen: _OutOfFold, texts: Sequence[Text], labels: Integers, read: ColdReader, leaves: int
) -> tuple[float, Floats, bool]:
    """Temperature, out-of-fold probabilities, and whether the cold start has a say in them."""
    enough = seen.different >= FEWEST_DIFFERENT and len(seen.numbers) >= FEWEST_ROWS
    temperature = fit_temperature(seen.scores, seen.labels) if enough else _START_TEMPERATURE
    alone = softmax(seen.scores, temperature)
    if not seen.shares.any():
        return temperature, alone, False
    blended = blend(read([texts[number] for number in seen.numbers]), alone, seen.shares)
    unlabelled = 1 - len(np.unique(labels)) / leaves
    gain = float(
        np.mean(blended.argmax(axis=1) == seen.labels) - np.mean(alone.argmax(axis=1) == seen.labels)
    )
    is_worth_it = not enough or unlabelled > _FEW_UNLABELLED or gain >= _LEAST_GAIN
    return temperature, blended if is_worth_it else alone, is_worth_it


def _identities(texts: Sequence[Text]) -> Integers:
    """A number for each text, the same for near-identical titles, whatever their order."""
    keys = (near_identity(text.name) or text.name for text in texts)
    return np.array([crc32(key.encode("utf-8", "ignore")) for key in keys], dtype=np.int64)


def _sample(rows: int, leaves: int) -> Integers:
    """The rows to measure with, evenly spread: all of them, or as many as memory allows."""
    most = max(FEWEST_ROWS, _MOST_CELLS // leaves)
    return np.arange(rows) if rows <= most else np.linspace(0, rows - 1, most).astype(np.int64)


def _out_of_fold(
    features: Features, rows: csr_matrix, texts: Sequence[Text], labels: Integers, leaves: int
) -> _OutOfFold:
    """``rows`` hold the texts and then the documents of the leaves, which all models see."""
    identities, sample = _identities(texts), _sample(len(texts), leaves)
    folds = identities % (_FOLDS_OF_MANY if len(texts) > _MANY else _FOLDS)
    seen = _OutOfFold(
        sample,
        len(np.unique(identities[sample])),
        folds[sample],
        labels[sample],
        np.zeros((len(sample), leaves), dtype=np.float32),
        np.zeros((len(sample), 3)),
        np.zeros((len(sample), leaves), dtype=np.float32),
    )
    documents = np.arange(len(texts), rows.shape[0])
    all_labels = np.concatenate([labels, np.arange(leaves)])
    for fold in np.unique(seen.folds):
        inside, outside = np.flatnonzero(seen.folds == fold), np.flatnonzero(folds != fold)
        kept = np.concatenate([outside, documents])
        model = LinearModel.fit(rows[kept], all_labels[kept], leaves)
        seen.scores[inside] = model.scores(rows[sample[inside]])
        seen.shares[inside] = cold_shares(labels[outside], leaves)
        known = features.keep(model.used_columns())
        seen.familiarity[inside] = familiarity_of(known, [texts[number] for number in sample[inside]])
    return seen


def familiarity_of(features: Features, texts: Sequence[Text]) -> NDArray[np.float64]:
    """How much of each text the features know, of shape (texts, 3)."""
    found = [np.zeros((0, 3))]
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        batch = batch_of(texts[start : start + _ROWS_AT_ONCE])
        found.append(familiarity(batch, features.occurrences(batch), len(batch.titles.ends)))
    return np.vstack(found)


def _fit_gate(features: Features, model: LinearModel, seen: _OutOfFold, certain: Truths) -> Gate | None:
    own = gate_signals(seen.familiarity, seen.scores)
    trades = [
        gate_signals(familiarity_of(features, trade), model.scores(features.transform(trade)))
        for trade in foreign_trades()
    ]
    return Gate.fit(own, certain, trades)
