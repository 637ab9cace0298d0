"""Why the answers of a batch were given: worked out for the whole batch at once, when the first is asked for."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from classification.engine.calibration import Confidence, logit
from classification.engine.data import BackOff, Candidate, Evidence, Neighbour
from classification.engine.explanation import Contributions, contributions, terms
from classification.engine.learning import Learned
from classification.engine.observation import Observation
from classification.engine.readings import COLD_THRESHOLD, Readings
from classification.engine.report import mass_above, pairs_above
from classification.engine.tree import Tree

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_OPEN = 10


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a batch as arrays.

    ``probabilities`` has the shape (rows, leaves), ``order`` the leaves of the candidates, best first, of shape (rows,
    candidates); ``confidences``, ``certain``, ``known`` and ``near`` have one entry a row. Only what is near to the
    catalogue may have an answer at a higher level.
    """

    probabilities: NDArray[np.float32]
    order: Integers
    confidences: Floats
    certain: NDArray[np.bool_]
    known: NDArray[np.bool_]
    near: NDArray[np.bool_]

    @property
    def best(self) -> Integers:
        """The first leaf of each row."""
        return self.order[:, 0]

    @property
    def second(self) -> Integers | None:
        """The runner-up of each row; None in a taxonomy of one leaf."""
        return self.order[:, 1] if self.order.shape[1] > 1 else None


class BatchReasons(ABC):
    """The reasons of all rows of a batch."""

    def __init__(
        self, answers: Answers, tree: Tree, category_ids: Sequence[int], confidence: Confidence | None
    ) -> None:
        self.answers, self.tree, self.category_ids, self.confidence = answers, tree, category_ids, confidence

    @property
    @abstractmethod
    def evidence(self) -> Sequence[tuple[Evidence, ...]]:
        """What spoke for each answer."""

    @property
    @abstractmethod
    def contrast(self) -> Sequence[tuple[Evidence, ...]]:
        """What spoke for each answer and against its runner-up."""

    @property
    @abstractmethod
    def neighbours(self) -> Sequence[tuple[Neighbour, ...]]:
        """The nearest examples of each answer's category."""

    @cached_property
    def back_offs(self) -> dict[int, BackOff]:
        """What is certain in the rows whose leaf is not: the nearest such node over the best leaf."""
        answers = self.answers
        unsure = np.flatnonzero(answers.known & answers.near & ~answers.certain)
        rows, nodes = pairs_above(answers.best, unsure, self.tree)
        found: dict[int, BackOff] = {}
        if not len(rows):
            return found
        chances, threshold = self._chances(rows, nodes)
        for number in np.flatnonzero(chances >= threshold).tolist():
            row, node = int(rows[number]), int(nodes[number])
            if row not in found:
                found[row] = BackOff(
                    self.tree.ids[node], round(float(chances[number]), 4), self._open_below(row, node)
                )
        return found

    def _chances(self, rows: Integers, nodes: Integers) -> tuple[Floats, float]:
        answers = self.answers
        mass = mass_above(answers.probabilities, answers.confidences, rows, nodes, self.tree)
        if self.confidence is None:
            return mass, COLD_THRESHOLD
        if self.confidence.above is None or self.confidence.above_threshold is None:
            return mass, np.inf
        return self.confidence.above.predict(logit(mass)[:, None]), self.confidence.above_threshold

    def _open_below(self, row: int, node: int) -> tuple[Candidate, ...]:
        """The leaves below a node that the answer may be, the best first: it keeps its confidence."""
        leaves = self.tree.below[node]
        own = self.answers.probabilities[row, leaves]
        order = np.argsort(-own, kind="stable")[:_MOST_OPEN]
        first, *chances = own[order].tolist()
        confidence = float(self.answers.confidences[row])
        rest = max(1e-9, 1.0 - first)
        shares = [confidence, *(min((1.0 - confidence) * chance / rest, confidence) for chance in chances)]
        return tuple(
            Candidate(self.category_ids[leaf], round(share, 4))
            for leaf, share, chance in zip(leaves[order].tolist(), shares, (1.0, *chances), strict=True)
            if chance > 0
        )


class ColdReasons(BatchReasons):
    """Reasons of the cold start: the words that it found in a category."""

    def __init__(self, answers: Answers, tree: Tree, category_ids: Sequence[int], readings: Readings) -> None:
        super().__init__(answers, tree, category_ids, None)
        self.readings = readings

    @cached_property
    def evidence(self) -> Sequence[tuple[Evidence, ...]]:
        """The words that spoke for the best leaf."""
        return [self.readings.explain(row, leaf) for row, leaf in enumerate(self.answers.best.tolist())]

    @cached_property
    def contrast(self) -> Sequence[tuple[Evidence, ...]]:
        """The words that gave the best leaf more than the second."""
        if self.answers.second is None:
            return self.evidence
        return [
            _difference(own, self.readings.explain(row, leaf))
            for row, (own, leaf) in enumerate(zip(self.evidence, self.answers.second.tolist(), strict=True))
        ]

    @property
    def neighbours(self) -> Sequence[tuple[Neighbour, ...]]:
        """None: the cold start has no examples."""
        return [()] * len(self.answers.best)


def _difference(own: Sequence[Evidence], other: Sequence[Evidence]) -> tuple[Evidence, ...]:
    taken = {one.term: one.weight for one in other}
    found = (Evidence(one.term, round(one.weight - taken.get(one.term, 0.0), 4)) for one in own)
    return tuple(sorted((one for one in found if one.weight > 0), key=lambda one: (-one.weight, one.term)))


class LearnedReasons(BatchReasons):
    """Reasons of a trained model: the words by their weights, those of the cold start where it alone has any."""

    def __init__(
        self,
        answers: Answers,
        tree: Tree,
        category_ids: Sequence[int],
        learned: Learned,
        seen: Observation,
    ) -> None:
        super().__init__(answers, tree, category_ids, learned.confidence)
        self.learned, self.seen = learned, seen
        self.cold = ColdReasons(answers, tree, category_ids, seen.readings) if seen.readings else None

    @cached_property
    def _contributions(self) -> Contributions:
        return contributions(self.learned.features, self.seen.batch, self.seen.occurrences, self.seen.rows)

    @cached_property
    def evidence(self) -> Sequence[tuple[Evidence, ...]]:
        """The words that added most to the score of the best leaf."""
        found = terms(self.learned.model, self.seen.batch.wholes, self._contributions, self.answers.best)
        if self.cold is None:
            return found
        return [own or self.cold.evidence[row] for row, own in enumerate(found)]

    @cached_property
    def contrast(self) -> Sequence[tuple[Evidence, ...]]:
        """The words that added more to the score of the best leaf than to that of the second."""
        return terms(
            self.learned.model,
            self.seen.batch.wholes,
            self._contributions,
            self.answers.best,
            self.answers.second,
        )

    @cached_property
    def neighbours(self) -> Sequence[tuple[Neighbour, ...]]:
        """The examples of the best leaf that have most words in common with each text."""
        return self.learned.exemplars.nearest(
            self.seen.rows, self.learned.features, self.answers.best, self.category_ids
        )


class RowReasons:
    """The reasons of one row of a batch."""

    __slots__ = ("_batch", "_row")

    def __init__(self, batch: BatchReasons, row: int) -> None:
        self._batch, self._row = batch, row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowReasons) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def _values(self) -> tuple[object, ...]:
        return self.evidence, self.contrast, self.neighbours, self.back_off

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What spoke for the answer."""
        return self._batch.evidence[self._row]

    @property
    def contrast(self) -> tuple[Evidence, ...]:
        """What spoke for the answer and against the runner-up."""
        return self._batch.contrast[self._row]

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """The nearest examples of the answer's category."""
        return self._batch.neighbours[self._row]

    @property
    def back_off(self) -> BackOff | None:
        """What is certain when the leaf is not."""
        return self._batch.back_offs.get(self._row)
