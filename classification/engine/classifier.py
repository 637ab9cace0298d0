"""The engine's face: fit a classifier on a taxonomy and what is known of its products, and ask it."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classification.engine import artefact
from classification.engine.back_off import Unsure, back_offs
from classification.engine.calibration import Confidence
from classification.engine.cold_start import COLD_THRESHOLD, ColdStart, pseudo_labels
from classification.engine.data import BackOff, Candidate, Category, Example, Prediction, Settings, Text
from classification.engine.learning import Learned, learn, learn_from_guesses
from classification.engine.observation import (
    TOP,
    Observation,
    confidence_signals,
    gate_signals,
    is_backed,
    top_probabilities,
)
from classification.engine.reasons import Answers, BatchReasons, ColdReasons, LearnedReasons, RowReasons
from classification.engine.report import Figures
from classification.engine.tree import Tree

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

# A text of which this share is known resembles something whatever the gate says, or the smaller share without a gate.
_MOST_UNFAMILIAR, _LEAST_FAMILIARITY = 0.33, 0.15
_UNSURE = 0.5
_LEAST_PROBABILITY = 1e-6
_PLACES = 10_000
_MOST_EXAMPLES = 300_000
_MOST_UNLABELLED = 50_000
_MOST_GUESSED, _FEWEST_GUESSES = 20_000, 100
_CELLS_AT_ONCE, _FEWEST_AT_ONCE, _MOST_AT_ONCE = 1_000_000, 16, 1_000
_DEFAULTS = Settings()
_NOTHING = Prediction(None, 0.0, (), False)
_FIGURES = ("accuracy", "top_5_accuracy", "ece", "precision", "coverage", "threshold", "report")


def fit(
    categories: Sequence[Category],
    labelled: Iterable[Example] = (),
    unlabelled: Iterable[Text] = (),
    settings: Settings = _DEFAULTS,
) -> "Classifier":
    """Make a classifier of a taxonomy; examples and further products improve it, and neither is needed.

    Where there is no example, it learns from what it takes the unlabelled products for. Examples whose category is no
    leaf of the taxonomy, or whose text is empty, are left out. Of more than 300,000 examples those of the most
    frequent categories are thinned out, and of the unlabelled products the first 50,000 are read.

    Raises:
        ValueError: the taxonomy has no leaf.
    """
    cold = ColdStart(categories)
    if not cold.leaves:
        raise ValueError("the taxonomy has no leaf category")
    numbers = {leaf.id: number for number, leaf in enumerate(cold.leaves)}
    examples = _thinned([one for one in labelled if one.category_id in numbers and _has_text(one.text)])
    labels = np.array([numbers[example.category_id] for example in examples], dtype=np.int64)
    others = islice(unlabelled, _MOST_UNLABELLED)
    texts: Iterable[Text] = others if examples else list(others)
    frequencies = cold.count(texts)
    cold = ColdStart(categories, frequencies) if frequencies.total else cold
    learned: Learned | None = None
    figures: Figures = {}
    if len(cold.leaves) > 1 and not examples:
        learned = _self_trained(cold, list(texts))
    elif len(cold.leaves) > 1:
        tree = Tree(categories, cold.leaves)
        learned, figures = learn(
            cold.leaves,
            tree,
            examples,
            labels,
            cold.read,
            settings.promised_precision,
        )
    return Classifier(
        categories, cold, learned, _metrics(figures, labels.tolist(), len(cold.leaves), settings)
    )


def _self_trained(cold: ColdStart, texts: Sequence[Text]) -> Learned | None:
    """What the cold start's own answers about texts teach; None where it has too few."""
    # Evenly spread: products of one kind often come one after the other.
    texts = texts[:: -(-len(texts) // _MOST_GUESSED) or 1]
    guesses = pseudo_labels(cold, texts)
    if len(guesses) < _FEWEST_GUESSES:
        return None
    labels = np.array([leaf for _, leaf in guesses], dtype=np.int64)
    return learn_from_guesses(cold.leaves, [texts[number] for number, _ in guesses], labels)


def _has_text(text: Text) -> bool:
    return bool(text.name.strip() or text.description.strip())


def _thinned(examples: list[Example]) -> list[Example]:
    """At most so many examples that the number of a category is cut to the same most for all."""
    if len(examples) <= _MOST_EXAMPLES:
        return examples
    numbers = np.array([example.category_id for example in examples])
    _, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    most = next(cap for cap in range(counts.max(), 0, -1) if np.minimum(counts, cap).sum() <= _MOST_EXAMPLES)
    order = np.argsort(places, kind="stable")
    groups = np.split(order, np.cumsum(counts)[:-1])
    kept = [
        group[np.unique(np.linspace(0, len(group) - 1, min(most, len(group))).astype(int))]
        for group in groups
    ]
    return [examples[number] for number in np.sort(np.concatenate(kept)).tolist()]


def _metrics(figures: Figures, labels: list[int], leaves: int, settings: Settings) -> Figures:
    counted: Figures = {
        "training_size": len(labels),
        "categories": leaves,
        "labelled_categories": len(set(labels)),
        "promised_precision": settings.promised_precision,
    }
    return counted | {name: figures.get(name) for name in _FIGURES}


class Classifier:
    """A fitted classifier: it never changes, so threads may share it."""

    def __init__(
        self, categories: Sequence[Category], cold: ColdStart, learned: Learned | None, metrics: Figures
    ) -> None:
        self._categories = tuple(categories)
        self._cold = cold
        self._learned = learned
        self._metrics = dict(metrics)
        self._ids = [leaf.id for leaf in cold.leaves]
        self._tree = Tree(categories, cold.leaves)
        self._at_once = min(_MOST_AT_ONCE, max(_FEWEST_AT_ONCE, _CELLS_AT_ONCE // max(1, len(cold.leaves))))

    @property
    def metrics(self) -> Figures:
        """Figures of the out-of-fold predictions; None where there was nothing to measure with.

        ``training_size``, ``categories``, ``labelled_categories`` (counts), ``promised_precision``,
        ``accuracy``, ``top_5_accuracy``, ``ece``, ``precision`` and ``coverage`` of the certain answers, and
        their ``threshold``; ``report`` holds lists: ``levels``, ``categories``, ``confusions``, ``calibration`` and
        ``coverage``.
        """
        return dict(self._metrics)

    def predict(self, texts: Sequence[Text], top_k: int = 5) -> list[Prediction]:
        """One prediction for each text, with at most ``top_k`` candidates, best first."""
        found: list[Prediction] = []
        for start in range(0, len(texts), self._at_once):
            found += self._predict_batch(texts[start : start + self._at_once], max(1, top_k))
        return found

    def _predict_batch(self, texts: Sequence[Text], top_k: int) -> list[Prediction]:
        if self._learned is None:
            answers, reasons = self._answers_of_cold_start(texts, top_k)
        else:
            answers, reasons = self._answers_of_model(self._learned, texts, top_k)
        return self._predictions(answers, reasons, top_k)

    def _answers_of_cold_start(self, texts: Sequence[Text], top_k: int) -> tuple[Answers, BatchReasons]:
        readings = self._cold.read(texts)
        probabilities = readings.probabilities().toarray(np.float32)
        order, best = top_probabilities(probabilities, max(top_k, 2))
        confidences, known = readings.confidence(), readings.is_known()
        certain = known & (confidences >= COLD_THRESHOLD)
        above = self._back_offs(known & ~certain, confidences, probabilities, None)
        answers = Answers(order, best[:, : order.shape[1]], confidences, certain, known, above)
        return answers, ColdReasons(answers, readings)

    def _answers_of_model(
        self, learned: Learned, texts: Sequence[Text], top_k: int
    ) -> tuple[Answers, BatchReasons]:
        seen, probabilities = learned.observe(texts, self._cold.read)
        order, best = top_probabilities(probabilities, max(top_k, TOP))
        known, near, belongs = _belonging(learned, seen)
        confidences, threshold = _confidences(learned, best, seen, order[:, 0])
        backed = is_backed(
            order[:, 0], learned.is_proven[order[:, 0]], seen.cold, trusts_cold=learned.trusts_cold
        )
        certain = belongs & backed & (confidences >= (np.inf if threshold is None else threshold))
        above = self._back_offs(known & near & ~certain, confidences, probabilities, learned.confidence)
        answers = Answers(order, best[:, : order.shape[1]], confidences, certain, known, above)
        return answers, LearnedReasons(answers, self._ids, learned, seen)

    def _back_offs(
        self,
        is_unsure: Truths,
        confidences: Floats,
        probabilities: NDArray[np.float32],
        trust: Confidence | None,
    ) -> dict[int, BackOff]:
        numbers = np.flatnonzero(is_unsure)
        unsure = Unsure(numbers, confidences[numbers], probabilities[numbers])
        return back_offs(unsure, self._tree, self._ids, trust)

    def _predictions(self, answers: Answers, reasons: BatchReasons, top_k: int) -> list[Prediction]:
        """The first candidate has its calibrated confidence; the others share the rest as their probabilities do.

        Theirs are rounded down, so that all together are never more than one.
        """
        order, chances = answers.order[:, :top_k], answers.chances[:, :top_k]
        first = answers.confidences[:, None]
        shares = (1.0 - first) * chances / np.maximum(1.0 - chances[:, :1], 1e-9)
        others = np.floor(np.minimum(shares, first)[:, 1:] * _PLACES) / _PLACES
        shown = np.hstack([np.round(first, 4), others]).tolist()
        counts = np.maximum(1, (chances > _LEAST_PROBABILITY).sum(axis=1)).tolist()
        columns = zip(
            order.tolist(), shown, counts, answers.certain.tolist(), answers.known.tolist(), strict=True
        )
        ids = self._ids
        found = []
        for row, (leaves, confidences, count, certain, known) in enumerate(columns):
            if not known:
                found.append(_NOTHING)
                continue
            candidates = tuple(
                [
                    Candidate(ids[leaf], chance)
                    for leaf, chance in zip(leaves[:count], confidences, strict=False)
                ]
            )
            found.append(
                Prediction(
                    candidates[0].category_id, confidences[0], candidates, certain, RowReasons(reasons, row)
                )
            )
        return found

    def to_bytes(self) -> bytes:
        """The classifier as a file: a zip of a JSON manifest and numpy arrays, the same bytes every time."""
        return artefact.pack(self._categories, self._cold.frequencies, self._learned, self._metrics)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Classifier":
        """Read what ``to_bytes`` wrote.

        Raises:
            ValueError: the bytes are no artefact, are damaged, or are of another format version; NewerFormatError
                if of a later one.
        """
        content = artefact.unpack(data)
        cold = ColdStart(content.categories, content.frequencies)
        return cls(content.categories, cold, content.learned, content.metrics)

    def save(self, path: Path) -> None:
        """Write the classifier to a file, which is never seen half written."""
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(self.to_bytes())
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """Read a file that ``save`` wrote. Raises as ``from_bytes`` does, and OSError."""
        return cls.from_bytes(path.read_bytes())


def _belonging(learned: Learned, seen: Observation) -> tuple[Truths, Truths, Truths]:
    """Which texts have something known, which are near to the catalogue, and which so near that they belong to it."""
    has_words, familiar = seen.familiarity[:, 2] > 0, seen.familiarity[:, :2].max(axis=1)
    resembles = familiar >= (_LEAST_FAMILIARITY if learned.gate is None else _MOST_UNFAMILIAR)
    if seen.readings is not None:
        resembles |= seen.readings.is_known()
    gate, known = learned.gate, has_words & resembles
    if gate is None:
        return known, known, known
    belonging = gate.belonging(gate_signals(seen.leading, seen.familiarity, seen.cold))
    known |= has_words & (belonging >= gate.known_from)
    return known, belonging >= gate.near_from, has_words & (belonging >= gate.certain_from)


def _confidences(
    learned: Learned, best: Floats, seen: Observation, leaves: NDArray[np.int64]
) -> tuple[Floats, float | None]:
    """Confidences of the first answers and the threshold of certainty: measured ones, or the cold start's."""
    if learned.confidence is not None:
        signals = confidence_signals(best[:, :TOP], leaves, seen.familiarity, seen.cold)
        return learned.confidence.logistic.predict(signals), learned.confidence.threshold
    if seen.cold is None:
        return np.minimum(best[:, 0], _UNSURE), None
    agreed = np.where(seen.cold.best == leaves, 1.0, _UNSURE)
    return np.minimum(seen.cold.confidence, agreed), COLD_THRESHOLD if learned.trusts_cold else None
