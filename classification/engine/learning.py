"""What a classifier has learned from labelled products, and how good it was on products it had not seen.

Every leaf's name, keywords and path form a pseudo-product, so that one model covers labelled and unlabelled
leaves. Its probabilities are blended with those of the cold start, leaf by leaf, as long as a leaf has few
examples. Confidence, thresholds and figures come from predictions by models that had not seen the product
(``out_of_fold.py``). Where nothing is labelled, the most certain answers of the cold start take the place of labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from classification.engine.calibration import Confidence, Logistic, fit_temperature, fit_threshold, softmax
from classification.engine.data import Category, Example, Text
from classification.engine.explanation import Exemplars
from classification.engine.features import Features, batch_of, familiarity
from classification.engine.gate import Gate, Shown, foreign_trades
from classification.engine.model import LinearModel
from classification.engine.observation import (
    ColdView,
    Observation,
    confidence_signals,
    gate_signals,
    is_backed,
    top_probabilities,
    two_greatest,
)
from classification.engine.out_of_fold import FEW_UNLABELLED, Material, Unseen, predict_unseen
from classification.engine.readings import COLD_THRESHOLD, LeafValues, Readings
from classification.engine.report import (
    Figures,
    Measured,
    confidence_figures,
    cross_fitted,
    fit_back_off,
    ranking_figures,
)
from classification.engine.tree import Tree

Floats = NDArray[np.float32]
Truths = NDArray[np.bool_]
Integers = NDArray[np.int64]
ColdReader = Callable[[Sequence[Text]], Readings]

_START_TEMPERATURE = 0.15
_LABELS_OF_COLD_SHARES = (0, 2, 5, 10)
_COLD_SHARES = (0.5, 0.4, 0.15, 0.0)
# By how much more than that the cold start may be trusted.
_TRUSTS = (1.0, 1.5, 1.9)
# Reading the cold start takes ten times as long as the model, so it must be worth that.
_LEAST_GAIN = 0.005
_CONTRADICTED = 0.05
_MOSTLY_NEW = 0.35
_SELF_TRAINING_TEMPERATURE, _SELF_TRAINING_COLD_SHARE = 0.08, 0.35


def cold_shares(counts: NDArray[np.integer], trust: float) -> Floats:
    """How much of a leaf's probability comes from the cold start: ``trust`` / 2 without examples, none from ten on."""
    shares = np.interp(counts, _LABELS_OF_COLD_SHARES, _COLD_SHARES)
    return np.asarray(trust * shares, dtype=np.float32)


def blend(cold: LeafValues, learned: Floats, shares: Floats) -> Floats:
    """Mix two sets of probabilities of shape (rows, leaves); a cold row of zeros has no say.

    ``shares`` are those of the cold start, for each leaf or for each leaf of each row.
    """
    rows, leaves = cold.rows, cold.leaves
    has_say = np.bincount(rows, cold.values, minlength=cold.shape[0]) > 0
    mixed = (1 - shares) * learned
    mixed[~has_say] = learned[~has_say]
    own = np.broadcast_to(shares, learned.shape)[rows, leaves]
    mixed[rows, leaves] += own * cold.values.astype(np.float32)
    mixed /= mixed.sum(axis=1, keepdims=True)
    return mixed


@dataclass(frozen=True, slots=True)
class Learned:
    """Features, model and calibration; ``confidence`` and ``gate`` are None below 100 examples, and below 30 that
    differ in more than size.

    ``shares`` is the say of the cold start in each leaf, None where it has none in any. ``is_proven`` says in which
    leaves an answer may be certain by its confidence: those with labels, unless too many leaves have none. In the
    others the cold start must be sure as well, and ``trusts_cold`` say that it may be believed.
    """

    features: Features
    model: LinearModel
    temperature: float
    shares: Floats | None
    confidence: Confidence | None
    gate: Gate | None
    exemplars: Exemplars
    is_proven: Truths
    trusts_cold: bool

    def observe(self, texts: Sequence[Text], read: ColdReader) -> tuple[Observation, Floats]:
        """Look at a batch, which the cold start reads if it has a say.

        Beside what is seen stand the probabilities, of shape (rows, leaves).
        """
        batch = batch_of(texts)
        found = self.features.occurrences(batch)
        rows = self.features.rows_of(found, len(texts))
        scores = self.model.scores(rows)
        probabilities = softmax(scores, self.temperature)
        readings = None
        if self.shares is not None:
            readings = read(texts)
            probabilities = blend(readings.probabilities(), probabilities, self.shares)
        seen = familiarity(batch, found, len(texts))
        return Observation(batch, found, rows, two_greatest(scores), seen, readings), probabilities


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

    ``labels`` are their leaf numbers, ``read`` is how the cold start reads texts, and ``promised`` is the share of
    certain answers that must be right.
    """
    material = _material(leaves, [example.text for example in examples], labels)
    unseen = predict_unseen(material)
    temperature, trust, measured = _ranked(unseen, material, read)
    counts = np.bincount(labels, minlength=len(leaves))
    shares = None if trust is None else cold_shares(counts, trust)
    learned = _fitted(material, [example.id for example in examples], temperature, shares)
    is_proven = (counts > 0) & (material.expected_new <= _MOSTLY_NEW)
    learned = replace(learned, is_proven=is_proven, trusts_cold=_trusts_cold(measured, promised))
    if not unseen.is_enough():
        return learned, ranking_figures(measured)
    return _calibrated(learned, measured, leaves, tree, read, promised)


def learn_from_guesses(leaves: Sequence[Category], texts: Sequence[Text], labels: Integers) -> Learned:
    """Fit on what the cold start takes texts for (D.-H. Lee, "Pseudo-Label", 2013), which nobody has confirmed.

    The model learns what else goes with the words of the categories. Nothing can be measured, so that the answers
    keep the confidence of the cold start.
    """
    shares = np.full(len(leaves), _SELF_TRAINING_COLD_SHARE, dtype=np.float32)
    return _fitted(_material(leaves, texts, labels), [None] * len(texts), _SELF_TRAINING_TEMPERATURE, shares)


def _material(leaves: Sequence[Category], texts: Sequence[Text], labels: Integers) -> Material:
    everything = [*texts, *map(document, leaves)]
    features = Features.fit(everything)
    return Material(features, features.transform(everything), texts, labels, len(leaves))


def _fitted(
    material: Material, ids: Sequence[int | None], temperature: float, shares: Floats | None
) -> Learned:
    """A model of all rows and the features that it uses; nothing is said about confidence yet."""
    model = LinearModel.fit(material.rows, material.all_labels, material.leaves)
    used = model.used_columns()
    kept = material.features.keep(used)
    exemplars = Exemplars.choose(material.rows[: len(ids)][:, used], kept, ids, material.labels)
    nothing = np.zeros(material.leaves, dtype=bool)
    return Learned(
        kept, model.keep(used), temperature, shares, None, None, exemplars, nothing, trusts_cold=True
    )


def _trusts_cold(measured: Measured, promised: float) -> bool:
    """Whether the labels, which the cold start has not seen, do not contradict the promise where it is sure.

    They do when chance would bring about so many wrong answers once in twenty times at most (binomial test). Titles
    that are nearly the same count once.
    """
    cold = measured.cold
    if cold is None:
        return False
    sure = np.flatnonzero(cold.confidence >= COLD_THRESHOLD)
    sure = sure[np.unique(measured.unseen.identities[sure], return_index=True)[1]]
    wrong = int(np.sum(cold.best[sure] != measured.labels[sure]))
    return wrong == 0 or float(bdtrc(wrong - 1, len(sure), 1 - promised)) >= _CONTRADICTED


def _ranked(unseen: Unseen, material: Material, read: ColdReader) -> tuple[float, float | None, Measured]:
    """The temperature, how far the cold start is to be trusted (None: not at all), and the probabilities."""
    is_enough = unseen.is_enough()
    temperature = fit_temperature(unseen.scores, unseen.labels) if is_enough else _START_TEMPERATURE
    alone = softmax(unseen.scores, temperature)
    if not cold_shares(unseen.counts, 1.0).any():
        return temperature, None, Measured(unseen, alone, None)
    readings = read([material.texts[number] for number in unseen.numbers])
    cold = readings.probabilities()
    trusts = _TRUSTS if is_enough else _TRUSTS[:1]
    blended = [blend(cold, alone, cold_shares(unseen.counts, trust)) for trust in trusts]
    without, *others = [float(np.mean(one.argmax(axis=1) == unseen.labels)) for one in (alone, *blended)]
    best = int(np.argmax(others))
    if is_enough and material.unlabelled <= FEW_UNLABELLED and others[best] < without + _LEAST_GAIN:
        return temperature, None, Measured(unseen, alone, None)
    return temperature, trusts[best], Measured(unseen, blended[best], ColdView.of(readings))


def _calibrated(
    learned: Learned,
    measured: Measured,
    leaves: Sequence[Category],
    tree: Tree,
    read: ColdReader,
    promised: float,
) -> tuple[Learned, Figures]:
    """Fit confidence, the gate and the thresholds, and say what they are worth."""
    right, honest = measured.right(), cross_fitted(measured)
    backed = measured.is_backed(is_proven=bool(learned.is_proven.any()), trusts_cold=learned.trusts_cold)
    groups = measured.labels[backed] if measured.unseen.has_new_leaves else None
    logistic = Logistic.fit(measured.signals(), right)
    own = Shown(measured.gate_signals(), np.where(backed, honest, 0.0))
    trades = [_shown(learned, *learned.observe(trade, read), logistic) for trade in foreign_trades()]
    least = fit_threshold(honest[backed], right[backed], promised, groups)
    gate, threshold = Gate.fit(own, trades, least)
    accepted = own.confidence >= (np.inf if threshold is None else threshold)
    if gate is not None:
        accepted &= gate.belonging(own.signals) >= gate.certain_from
    above, above_threshold = fit_back_off(measured, honest, accepted, tree, promised)
    confidence = Confidence(logistic, threshold, above, above_threshold)
    figures = confidence_figures(measured, honest, accepted, threshold, leaves, tree)
    return replace(learned, confidence=confidence, gate=gate), ranking_figures(measured) | figures


def _shown(learned: Learned, seen: Observation, probabilities: Floats, logistic: Logistic) -> Shown:
    """Products as the gate sees them; an answer that is not backed has no confidence."""
    leaves, best = top_probabilities(probabilities)
    first = leaves[:, 0]
    signals = confidence_signals(best, first, seen.familiarity, seen.cold)
    backed = is_backed(first, learned.is_proven[first], seen.cold, trusts_cold=learned.trusts_cold)
    confidences = np.where(backed, logistic.predict(signals), 0.0)
    return Shown(gate_signals(seen.leading, seen.familiarity, seen.cold), confidences)
