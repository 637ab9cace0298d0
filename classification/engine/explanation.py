"""Which words of a product spoke for its answer, and which labelled products are nearest to it.

Every feature of a product adds weight * value to the score of a category. A feature is a word, a pair of words or a
run of letters, and its contribution goes to the word in which its middle lies, so that the contributions of the words
add up to the score (but for the bias): ``DHP484Z`` may speak for hammer drills although nobody has seen it before.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.data import Evidence, Neighbour
from classification.engine.features import Batch, Features, Occurrences
from classification.engine.hashing import Integers, Letters, Runs
from classification.engine.model import LinearModel

Floats = NDArray[np.float32]

MOST_TERMS = 8
MOST_NEIGHBOURS = 3
_LEAST_WEIGHT = 1e-4
_LEAST_SIMILARITY = 0.2
_EXAMPLES_PER_CATEGORY = 32
_MOST_EXAMPLES = 20_000


class Contributions(NamedTuple):
    """What each occurrence of a feature is worth: its row, column and value, and the hash and place of its word."""

    rows: Integers
    columns: Integers
    values: Floats
    words: NDArray[np.uint64]
    starts: Integers
    ends: Integers


def contributions(features: Features, batch: Batch, found: Occurrences, rows: csr_matrix) -> Contributions:
    """Spread the values of the features of a batch over their occurrences, and give each to a word."""
    words = batch.views[2]
    place = found.rows * features.size + found.columns
    keys = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)) * features.size + rows.indices
    at = np.searchsorted(keys, place)
    times = np.bincount(at, minlength=len(keys))
    values = rows.data[at] / times[at]
    word = _word_of_runs(batch, words)[found.runs]
    kept = np.flatnonzero(word >= 0)
    word = word[kept]
    return Contributions(
        found.rows[kept],
        found.columns[kept],
        values[kept],
        words.hashes[word],
        words.starts[word],
        words.ends[word],
    )


def _word_of_runs(batch: Batch, words: Runs) -> Integers:
    """The number of the word, among those of the whole texts, that each run of each view belongs to, or -1."""
    grams, numbers, _, pairs = batch.views
    in_titles = _titles_in_wholes(batch)
    parts = [
        _word_at(
            words,
            in_titles[runs.rows] + (runs.starts + runs.ends) // 2 - _starts(batch.titles)[runs.rows],
            runs,
        )
        for runs in (grams, numbers)
    ]
    parts += [np.arange(len(words.rows)), np.searchsorted(words.starts, pairs.starts)]
    return np.concatenate(parts)


def _starts(letters: Letters) -> Integers:
    return np.concatenate(([0], letters.ends[:-1]))


def _titles_in_wholes(batch: Batch) -> Integers:
    """Where the letters of each title lie in its whole text, which begins with it; a title has one blank before it."""
    return _starts(batch.wholes) - 1


def _word_at(words: Runs, letters: Integers, runs: Runs) -> Integers:
    """The word that holds a letter, or the one before it; -1 where the row has none there."""
    found = np.searchsorted(words.starts, letters, side="right") - 1
    inside = (found >= 0) & (words.rows[np.maximum(found, 0)] == runs.rows)
    return np.where(inside, found, -1)


def terms(
    model: LinearModel, letters: Letters, given: Contributions, best: Integers, other: Integers | None = None
) -> list[tuple[Evidence, ...]]:
    """The words of each row that spoke most for its category ``best`` (and against its category ``other``)."""
    weights = model.weights_of(given.columns, best[given.rows])
    if other is not None:
        weights = weights - model.weights_of(given.columns, other[given.rows])
    added = weights * given.values
    order = np.lexsort((given.starts, given.words, given.rows))
    rows, words = given.rows[order], given.words[order]
    firsts = np.flatnonzero(
        np.concatenate(([True], (rows[1:] != rows[:-1]) | (words[1:] != words[:-1])))[: len(rows)]
    )
    sums = np.add.reduceat(added[order], firsts) if len(firsts) else np.zeros(0)
    ranked = np.lexsort((-sums, rows[firsts]))
    found: list[list[Evidence]] = [[] for _ in best]
    for number in ranked.tolist():
        weight, place = float(sums[number]), int(order[firsts[number]])
        into = found[int(given.rows[place])]
        if weight > _LEAST_WEIGHT and len(into) < MOST_TERMS:
            term = letters.text(int(given.starts[place]), int(given.ends[place]))
            into.append(Evidence(term, round(weight, 4)))
    return [tuple(one) for one in found]


class Exemplars:
    """Examples of each category that an answer can be compared with, by the cosine of their words.

    ``rows`` is a matrix of examples x features with the words alone, each row of length one.
    """

    def __init__(self, rows: csr_matrix, ids: Integers, labels: Integers) -> None:
        self.rows, self.ids, self.labels = rows, ids, labels
        self.rows.data = rows.data.astype(np.float16).astype(np.float32)
        self._by_feature = rows.T.tocsr()

    @classmethod
    def choose(
        cls, rows: csr_matrix, features: Features, ids: Sequence[int | None], labels: Integers
    ) -> "Exemplars":
        """Keep some examples of each category, evenly spread over those that have an id."""
        most = max(1, min(_EXAMPLES_PER_CATEGORY, _MOST_EXAMPLES // max(1, len(np.unique(labels)))))
        named = np.flatnonzero(np.array([one is not None for one in ids], dtype=bool))
        order = named[np.argsort(labels[named], kind="stable")]
        starts = np.flatnonzero(
            np.concatenate(([True], labels[order][1:] != labels[order][:-1]))[: len(order)]
        )
        groups = np.split(order, starts[1:])
        chosen = np.array(
            sorted(number for group in groups for number in _spread(group, most)), dtype=np.int64
        )
        kept = np.array([ids[number] or 0 for number in chosen], dtype=np.int64)
        return cls(words_of(rows[chosen], features), kept, labels[chosen])

    def keep(self, columns: Integers) -> "Exemplars":
        """The same examples with some of the features."""
        return Exemplars(self.rows[:, columns], self.ids, self.labels)

    def nearest(
        self, rows: csr_matrix, features: Features, best: Integers, category_ids: Sequence[int]
    ) -> list[tuple[Neighbour, ...]]:
        """The nearest examples of each row's own category."""
        similarities = (words_of(rows, features) @ self._by_feature).tocsr()
        found = []
        for row, label in enumerate(best.tolist()):
            part = slice(similarities.indptr[row], similarities.indptr[row + 1])
            examples, values = similarities.indices[part], similarities.data[part]
            own = np.flatnonzero((self.labels[examples] == label) & (values >= _LEAST_SIMILARITY))
            order = own[np.lexsort((self.ids[examples[own]], -values[own]))[:MOST_NEIGHBOURS]]
            found.append(
                tuple(
                    Neighbour(int(self.ids[example]), category_ids[label], round(min(1.0, float(value)), 4))
                    for example, value in zip(examples[order], values[order], strict=True)
                )
            )
        return found


def words_of(rows: csr_matrix, features: Features) -> csr_matrix:
    """The words of rows, scaled to length one."""
    is_word = features.views == 2
    kept = rows.copy()
    kept.data = np.where(is_word[kept.indices], kept.data, 0.0).astype(np.float32)
    kept.eliminate_zeros()
    lengths = np.sqrt(np.maximum(np.asarray(kept.multiply(kept).sum(axis=1)).ravel(), 1e-12))
    kept.data /= np.repeat(lengths, np.diff(kept.indptr)).astype(np.float32)
    return kept


def _spread(numbers: Integers, most: int) -> list[int]:
    if len(numbers) <= most:
        return list(numbers.tolist())
    return list(numbers[np.linspace(0, len(numbers) - 1, most).astype(np.int64)].tolist())
