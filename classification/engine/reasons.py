"""Why the answers of a batch were given: worked out for the whole batch at once, when the first is asked for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from classification.engine.data import BackOff, Evidence, Neighbour
from classification.engine.explanation import Contributions, contributions, terms
from classification.engine.learning import Learned
from classification.engine.observation import Observation
from classification.engine.readings import Readings

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a batch as arrays.

    ``order`` are the leaves of the candidates, best first, and ``chances`` their probabilities, of shape (rows,
    candidates); ``confidences``, ``certain`` and ``known`` have one entry a row, ``back_offs`` are the answers at a
    higher level by row. The probabilities of all leaves are not kept: they would take more memory than all else.
    """

    order: Integers
    chances: Floats
    confidences: Floats
    certain: NDArray[np.bool_]
    known: NDArray[np.bool_]
    back_offs: Mapping[int, BackOff]

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

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

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


class ColdReasons(BatchReasons):
    """Reasons of the cold start: the words that it found in a category."""

    def __init__(self, answers: Answers, readings: Readings) -> None:
        super().__init__(answers)
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
        category_ids: Sequence[int],
        learned: Learned,
        seen: Observation,
    ) -> None:
        super().__init__(answers)
        self.category_ids, self.learned, self.seen = category_ids, learned, seen
        self.cold = ColdReasons(answers, seen.readings) if seen.readings else None

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
        return self._batch.answers.back_offs.get(self._row)
