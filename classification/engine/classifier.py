"""The engine's face: fit a classifier on a taxonomy and what is known of its products, and ask it."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from classification.engine import artefact
from classification.engine.calibration import Floats, signals
from classification.engine.cold_start import COLD_THRESHOLD, ColdStart
from classification.engine.data import Candidate, Category, Evidence, Example, Prediction, Settings, Text
from classification.engine.learning import Figures, Learned, learn
from classification.engine.readings import Readings

_LEAST_FAMILIARITY = 0.15
_LEAST_PROBABILITY = 1e-6
_MOST_UNLABELLED = 50_000
_BATCH = 64
_DEFAULTS = Settings()
_NOTHING = Prediction(None, 0.0, (), (), False)
_FIGURES = ("accuracy", "top_5_accuracy", "ece", "precision", "coverage", "threshold")


def fit(
    categories: Sequence[Category],
    labelled: Iterable[Example] = (),
    unlabelled: Iterable[Text] = (),
    settings: Settings = _DEFAULTS,
) -> "Classifier":
    """Make a classifier of a taxonomy; examples and further products improve it, and neither is needed.

    Examples whose category is no leaf of the taxonomy, or whose text is empty, are left out. Of the
    unlabelled products the first 50,000 are read.

    Raises:
        ValueError: the taxonomy has no leaf.
    """
    cold = ColdStart(categories)
    if not cold.leaves:
        raise ValueError("the taxonomy has no leaf category")
    frequencies = cold.count(islice(unlabelled, _MOST_UNLABELLED))
    cold = ColdStart(categories, frequencies) if frequencies.total else cold
    numbers = {leaf.id: number for number, leaf in enumerate(cold.leaves)}
    examples = [one for one in labelled if one.category_id in numbers and _has_text(one.text)]
    labels = np.array([numbers[example.category_id] for example in examples], dtype=np.int64)
    learned: Learned | None = None
    figures: Figures = {}
    if examples and len(cold.leaves) > 1:
        learned, figures = learn(
            cold.leaves,
            examples,
            labels,
            lambda texts: cold.read(texts).probabilities(),
            settings.promised_precision,
        )
    return Classifier(
        categories, cold, learned, _metrics(figures, labels.tolist(), len(cold.leaves), settings)
    )


def _has_text(text: Text) -> bool:
    return bool(text.name.strip() or text.description.strip())


def _metrics(figures: Figures, labels: list[int], leaves: int, settings: Settings) -> Figures:
    counted: Figures = {
        "training_size": len(labels),
        "categories": leaves,
        "labelled_categories": len(set(labels)),
        "promised_precision": settings.promised_precision,
    }
    return counted | {name: figures.get(name) for name in _FIGURES}


def _confidences(
    learned: Learned, probabilities: Floats, readings: Readings
) -> tuple[list[float], float | None]:
    """Confidences of the first answers and the threshold of certainty: measured ones, or the cold start's."""
    if learned.confidence is None:
        return readings.confidence().tolist(), COLD_THRESHOLD
    return learned.confidence.logistic.predict(signals(probabilities)).tolist(), learned.confidence.threshold


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

    @property
    def metrics(self) -> Figures:
        """Figures of the out-of-fold predictions; None where there was nothing to measure with.

        ``training_size``, ``categories``, ``labelled_categories`` (counts), ``promised_precision``,
        ``accuracy``, ``top_5_accuracy``, ``ece``, ``precision`` and ``coverage`` of the certain answers, and
        their ``threshold``.
        """
        return dict(self._metrics)

    def predict(self, texts: Sequence[Text], top_k: int = 5) -> list[Prediction]:
        """One prediction for each text, with at most ``top_k`` candidates, best first."""
        found: list[Prediction] = []
        for start in range(0, len(texts), _BATCH):
            found += self._predict_batch(texts[start : start + _BATCH], max(1, top_k))
        return found

    def _predict_batch(self, texts: Sequence[Text], top_k: int) -> list[Prediction]:
        if self._learned is not None and not self._learned.needs_cold_start():
            readings = self._cold.unread(texts)
        else:
            readings = self._cold.read(texts)
        if self._learned is None:
            return self._cold_predictions(texts, readings, top_k)
        return self._learned_predictions(self._learned, texts, readings, top_k)

    def _cold_predictions(self, texts: Sequence[Text], readings: Readings, top_k: int) -> list[Prediction]:
        known, probabilities = readings.is_known(), readings.probabilities()
        best, confidences = readings.best().tolist(), readings.confidence().tolist()
        found = []
        for row in range(len(texts)):
            if not known[row]:
                found.append(_NOTHING)
                continue
            evidence = readings.explain(row, best[row])
            found.append(
                self._prediction(probabilities[row], confidences[row], COLD_THRESHOLD, evidence, top_k)
            )
        return found

    def _learned_predictions(
        self, learned: Learned, texts: Sequence[Text], readings: Readings, top_k: int
    ) -> list[Prediction]:
        rows = learned.features.transform(texts)
        probabilities = learned.probabilities(rows, readings.probabilities())
        confidences, threshold = _confidences(learned, probabilities, readings)
        found = []
        known = readings.is_known()
        for number, text in enumerate(texts):
            if not known[number] and learned.features.familiarity(text) < _LEAST_FAMILIARITY:
                found.append(_NOTHING)
                continue
            best = int(probabilities[number].argmax())
            evidence = learned.explain(rows[number], best) or readings.explain(number, best)
            found.append(
                self._prediction(probabilities[number], confidences[number], threshold, evidence, top_k)
            )
        return found

    def _prediction(
        self,
        probabilities: Floats,
        confidence: float,
        threshold: float | None,
        evidence: tuple[Evidence, ...],
        top_k: int,
    ) -> Prediction:
        candidates = self._candidates(probabilities, confidence, top_k)
        certain = threshold is not None and confidence >= threshold
        return Prediction(candidates[0].category_id, candidates[0].confidence, candidates, evidence, certain)

    def _candidates(self, probabilities: Floats, confidence: float, top_k: int) -> tuple[Candidate, ...]:
        """The first has its calibrated confidence; the others share the rest as their probabilities do."""
        likely = np.flatnonzero(probabilities > _LEAST_PROBABILITY)
        order = likely[np.argsort(-probabilities[likely], kind="stable")[:top_k]].tolist()
        rest = max(1e-9, 1.0 - float(probabilities[order[0]]))
        candidates = [Candidate(self._ids[order[0]], round(confidence, 4))]
        for number in order[1:]:
            share = (1.0 - confidence) * float(probabilities[number]) / rest
            candidates.append(Candidate(self._ids[number], round(min(share, confidence), 4)))
        return tuple(candidates)

    def to_bytes(self) -> bytes:
        """The classifier as a file: a zip of a JSON manifest and numpy arrays, the same bytes every time."""
        return artefact.pack(self._categories, self._cold.frequencies, self._learned, self._metrics)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Classifier":
        """Read what ``to_bytes`` wrote.

        Raises:
            ValueError: the bytes are no artefact, are damaged, or are of another format version.
        """
        content = artefact.unpack(data)
        cold = ColdStart(content.categories, content.frequencies)
        return cls(content.categories, cold, content.learned, content.metrics)
