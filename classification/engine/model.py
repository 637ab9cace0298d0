"""Linear models over the features: one weight a feature and category, of which the small ones are dropped."""

from collections.abc import Iterator
from typing import NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

_SMALLEST_WEIGHT = 0.02
# Of the solver. Large models that only predict unseen rows may be rougher: nearly as good in half the time.
TOLERANCE, ROUGH_TOLERANCE = 0.5, 1.0
_ROUNDS = 200
# Joint machines hold a number for each row and category; one by one, they hold some rows for each category.
_MOST_CELLS_JOINTLY = 12_000_000
_MOST_WEIGHTS_JOINTLY, _FEWEST_COLUMNS_JOINTLY = 20_000_000, 20_000
_MOST_CATEGORIES_ONE_BY_ONE = 4_000
_OWN_ROWS, _HARD_ROWS, _OTHER_ROWS = 300, 900, 600
_MOST_DENSE_WEIGHTS = 20_000_000
_COMMON_COLUMN = 0.1
_CATEGORIES_AT_ONCE = 32
_MOST_CELLS_OF_NEARNESS = 20_000_000


class LinearModel:
    """Scores = rows @ weights + bias; ``weights`` is features x categories."""

    def __init__(self, weights: csr_matrix, bias: Floats) -> None:
        self.weights = weights
        self.bias = bias
        # As they are stored, so that a classifier answers the same before it was stored and after.
        self.weights.data = weights.data.astype(np.float16).astype(np.float32)
        features, categories = weights.shape
        is_small = features * categories <= _MOST_DENSE_WEIGHTS
        self._dense = weights.toarray() if is_small else None
        self._parts = None if is_small else _Parts.of(weights)

    @classmethod
    def fit(
        cls, rows: csr_matrix, labels: Integers, categories: int, tolerance: float = TOLERANCE
    ) -> "LinearModel":
        """Fit support vector machines, or class centroids when there are too many categories.

        ``labels`` holds a number below ``categories`` for each row. All categories jointly where memory allows (K.
        Crammer and Y. Singer, "On the algorithmic implementation of multiclass kernel-based vector machines",
        2001), else one by one against the rows that are most easily taken for theirs, both by LIBLINEAR (R.-E.
        Fan et al., 2008), else centroids of length one (J. Rocchio, 1971).
        """
        present = np.unique(labels)
        if len(present) < 2 or len(present) > _MOST_CATEGORIES_ONE_BY_ONE:
            centroids = _centroids(rows, labels, categories)
            return cls(centroids.T.tocsr(), np.zeros(categories, dtype=np.float32))
        columns = min(rows.shape[1], _MOST_WEIGHTS_JOINTLY // len(present))
        enough = columns >= min(rows.shape[1], _FEWEST_COLUMNS_JOINTLY)
        if enough and len(present) * rows.shape[0] <= _MOST_CELLS_JOINTLY:
            return cls(*_jointly(rows, labels, categories, columns, tolerance))
        return cls(*_one_by_one(rows, labels, categories))

    def scores(self, rows: csr_matrix) -> Floats:
        """Scores of shape (rows, categories)."""
        found: Floats = rows @ self._dense if self._parts is None else self._parts.scores(rows)
        found += self.bias
        return found

    def used_columns(self) -> Integers:
        """The columns that have a weight for any category, in ascending order."""
        return np.flatnonzero(np.diff(self.weights.indptr))

    def keep(self, columns: Integers) -> "LinearModel":
        """The model over some of its columns."""
        return LinearModel(self.weights[columns], self.bias)

    def weights_of(self, columns: Integers, categories: Integers) -> Floats:
        """The weight of each column for the category beside it."""
        if self._dense is not None:
            return np.asarray(self._dense[columns, categories], dtype=np.float32)
        return np.asarray(self.weights[columns, categories], dtype=np.float32).ravel()


class _Parts(NamedTuple):
    """Weights that are too many for a dense matrix: dense are those of the columns that speak for many categories.

    Multiplied as sparse ones, these few columns would cost more than all others together.
    """

    columns: Integers
    common: Floats
    rare: csr_matrix

    @classmethod
    def of(cls, weights: csr_matrix) -> "_Parts":
        """Take the weights apart."""
        counts = np.diff(weights.indptr)
        most = _MOST_DENSE_WEIGHTS // weights.shape[1]
        columns = np.flatnonzero(counts > weights.shape[1] * _COMMON_COLUMN)
        columns = np.sort(columns[np.argsort(-counts[columns], kind="stable")[:most]])
        is_rare = np.ones(len(counts), dtype=bool)
        is_rare[columns] = False
        rare = diags(is_rare.astype(np.float32)) @ weights
        rare.eliminate_zeros()
        return cls(columns, weights[columns].toarray(), rare)

    def scores(self, rows: csr_matrix) -> Floats:
        """rows @ weights, of shape (rows, categories)."""
        found = _dense_product(rows, self.rare)
        found += rows[:, self.columns].toarray() @ self.common
        return found


def _dense_product(rows: csr_matrix, weights: csr_matrix) -> Floats:
    """rows @ weights as a dense matrix, at a quarter of the cost of a sparse one, which must put its columns together.

    The weights of all entries of a row lie side by side in ``spread``, with columns that repeat; making it dense adds
    them up.
    """
    spread = weights[rows.indices]
    spread.data *= np.repeat(rows.data, np.diff(spread.indptr))
    shape = rows.shape[0], weights.shape[1]
    return csr_matrix((spread.data, spread.indices, spread.indptr[rows.indptr]), shape=shape).toarray()


def _dropped(weights: NDArray[np.float64]) -> csr_matrix:
    """The weights, one row a category, as a sparse matrix without the small ones; some rows at a time."""
    parts = []
    for start in range(0, len(weights), _CATEGORIES_AT_ONCE):
        part = weights[start : start + _CATEGORIES_AT_ONCE].astype(np.float32)
        part[np.abs(part) < _SMALLEST_WEIGHT] = 0.0
        parts.append(csr_matrix(part))
    return vstack(parts, format="csr")


def _jointly(
    rows: csr_matrix, labels: Integers, categories: int, most: int, tolerance: float
) -> tuple[csr_matrix, Floats]:
    """One machine over the ``most`` columns that the most rows have; the weights of the others are zero."""
    from sklearn.svm import LinearSVC

    kept = _most_frequent(rows, most)
    machine = LinearSVC(multi_class="crammer_singer", tol=tolerance, max_iter=_ROUNDS, random_state=0)
    with catch_warnings():
        # That there may be too many classes for so few rows, which is how every taxonomy begins.
        simplefilter("ignore", UserWarning)
        machine.fit(rows[:, kept] if len(kept) < rows.shape[1] else rows, labels)
    found, biases = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        found, biases = np.vstack([-found, found]) / 2, np.concatenate([-biases, biases]) / 2
    weights = _dropped(found)
    bias = np.full(categories, biases.min() - 1.0, dtype=np.float32)
    bias[machine.classes_] = biases
    places = np.full(categories, len(machine.classes_))
    places[machine.classes_] = np.arange(len(machine.classes_))
    nothing = csr_matrix((1, len(kept)), dtype=np.float32)
    found = vstack([weights, nothing], format="csr")[places]
    spread = csr_matrix((found.data, kept[found.indices], found.indptr), shape=(categories, rows.shape[1]))
    return spread.T.tocsr(), bias


def _most_frequent(rows: csr_matrix, most: int) -> Integers:
    """The columns that the most rows have, in ascending order."""
    counts = np.bincount(rows.indices, minlength=rows.shape[1])
    return np.sort(np.argsort(-counts, kind="stable")[:most])


def _one_by_one(rows: csr_matrix, labels: Integers, categories: int) -> tuple[csr_matrix, Floats]:
    bias = np.full(categories, -1.0, dtype=np.float32)
    found: dict[int, csr_matrix] = {}
    for category, chosen in _shortlists(rows, labels, categories):
        found[category], bias[category] = _machine(rows[chosen], labels[chosen] == category)
    nothing = csr_matrix((1, rows.shape[1]), dtype=np.float32)
    stacked = vstack([found.get(number, nothing) for number in range(categories)], format="csr")
    return stacked.T.tocsr(), bias


def _machine(rows: csr_matrix, own: NDArray[np.bool_]) -> tuple[csr_matrix, float]:
    from sklearn.svm import LinearSVC

    machine = LinearSVC(tol=TOLERANCE, random_state=0).fit(rows, own)
    return _dropped(machine.coef_), float(machine.intercept_[0])


def _shortlists(rows: csr_matrix, labels: Integers, categories: int) -> Iterator[tuple[int, Integers]]:
    """For each category its own rows, the other rows nearest to its centroid, and some of the rest."""
    spread = np.unique(np.linspace(0, len(labels) - 1, _OTHER_ROWS).astype(np.int64))
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(categories + 1))
    most = min(_HARD_ROWS, len(labels) - 1)
    for category, near in _nearness(rows, labels, categories):
        own = order[starts[category] : starts[category + 1]]
        near[own] = -1.0
        hard = np.argpartition(-near, most)[:most]
        yield category, np.unique(np.concatenate([_spread(own, _OWN_ROWS * 10), hard, spread]))


def _nearness(rows: csr_matrix, labels: Integers, categories: int) -> Iterator[tuple[int, Floats]]:
    """Each category that has rows, and how near every row is to its centroid."""
    centroids, present = _centroids(rows, labels, categories), np.unique(labels)
    at_once = max(1, _MOST_CELLS_OF_NEARNESS // rows.shape[0])
    for start in range(0, len(present), at_once):
        some = present[start : start + at_once]
        yield from zip(some.tolist(), (rows @ centroids[some].T.tocsr()).T.toarray(), strict=True)


def _spread(numbers: Integers, most: int) -> Integers:
    if len(numbers) <= most:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, most).astype(np.int64)]


def _centroids(rows: csr_matrix, labels: Integers, categories: int) -> csr_matrix:
    """The mean row of each category, scaled to length one: categories x features."""
    count = len(labels)
    members = csr_matrix((np.ones(count, np.float32), (labels, np.arange(count))), shape=(categories, count))
    sums = (members @ rows).tocsr()
    lengths = np.sqrt(np.asarray(sums.multiply(sums).sum(axis=1)).ravel())
    scaled = (diags(1 / np.maximum(lengths, 1e-9)) @ sums).tocsr().astype(np.float32)
    scaled.data[np.abs(scaled.data) < _SMALLEST_WEIGHT] = 0.0
    scaled.eliminate_zeros()
    return scaled
