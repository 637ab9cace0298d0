"""Linear models over the features: one weight a feature and category, kept sparse."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack

Floats = NDArray[np.float64]

_SMALLEST_WEIGHT = 0.02
_MOST_WORK = 15_000_000
_CLASSES_AT_ONCE = 64
_TOLERANCE = 0.01


class LinearModel:
    """Scores = rows @ weights + bias; ``weights`` is features x categories."""

    def __init__(self, weights: csr_matrix, bias: NDArray[np.float32]) -> None:
        self.weights = weights
        self.bias = bias
        self._by_category = weights.tocsc()
        self._by_category.sort_indices()

    @classmethod
    def fit(cls, rows: csr_matrix, labels: NDArray[np.int64], categories: int) -> "LinearModel":
        """Fit one-vs-rest support vector machines, or class centroids when categories x rows are too many.

        ``labels`` holds a number below ``categories`` for each row. Support vectors: Fan et al., "LIBLINEAR",
        2008. Centroids: Rocchio's, scaled to length one.
        """
        if categories * rows.shape[0] > _MOST_WORK or len(np.unique(labels)) < 2:
            return cls._fit_centroids(rows, labels, categories)
        return cls._fit_machines(rows, labels, categories)

    @classmethod
    def _fit_machines(cls, rows: csr_matrix, labels: NDArray[np.int64], categories: int) -> "LinearModel":
        present = np.unique(labels)
        bias = np.full(categories, -1.0, dtype=np.float32)
        found: dict[int, csr_matrix] = {}
        for start in range(0, len(present), _CLASSES_AT_ONCE):
            for category, weights, intercept in _machines(
                rows, labels, present[start : start + _CLASSES_AT_ONCE]
            ):
                found[category] = weights
                bias[category] = intercept
        nothing = csr_matrix((1, rows.shape[1]), dtype=np.float32)
        stacked = vstack([found.get(number, nothing) for number in range(categories)], format="csr")
        return cls(stacked.T.tocsr(), bias)

    @classmethod
    def _fit_centroids(cls, rows: csr_matrix, labels: NDArray[np.int64], categories: int) -> "LinearModel":
        count = len(labels)
        members = csr_matrix(
            (np.ones(count, np.float32), (labels, np.arange(count))), shape=(categories, count)
        )
        sums = (members @ rows).tocsr()
        lengths = np.sqrt(np.asarray(sums.multiply(sums).sum(axis=1)).ravel())
        centroids = (diags(1 / np.maximum(lengths, 1e-9)) @ sums).tocsr().astype(np.float32)
        centroids.data[np.abs(centroids.data) < _SMALLEST_WEIGHT] = 0.0
        centroids.eliminate_zeros()
        return cls(centroids.T.tocsr(), np.zeros(categories, dtype=np.float32))

    def scores(self, rows: csr_matrix) -> Floats:
        """Scores of shape (rows, categories)."""
        return np.asarray((rows @ self.weights).toarray() + self.bias, dtype=np.float64)

    def contributions(
        self, columns: NDArray[np.int32], values: NDArray[np.float32], category: int
    ) -> tuple[NDArray[np.int32], Floats]:
        """Which of a row's columns speak for a category, and what each adds to its score, greatest first."""
        start, end = self._by_category.indptr[category], self._by_category.indptr[category + 1]
        weighted = self._by_category.indices[start:end]
        if not len(weighted) or not len(columns):
            return np.empty(0, np.int32), np.empty(0)
        at = np.minimum(np.searchsorted(weighted, columns), len(weighted) - 1)
        added = np.where(weighted[at] == columns, values * self._by_category.data[start:end][at], 0.0)
        order = np.argsort(-added, kind="stable")
        order = order[added[order] > 0]
        return columns[order], added[order].astype(np.float64)


def _machines(
    rows: csr_matrix, labels: NDArray[np.int64], chosen: NDArray[np.int64]
) -> Iterator[tuple[int, csr_matrix, float]]:
    """Category, sparse weights and bias for each chosen category against all the rest.

    A few categories at a time, because the weights are dense until the small ones are dropped.
    """
    from sklearn.svm import LinearSVC

    merged = np.where(np.isin(labels, chosen), labels, -1)
    machine = LinearSVC(random_state=0, dual=True, tol=_TOLERANCE).fit(rows, merged)
    weights, intercepts = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        weights, intercepts = np.vstack([-weights, weights]), np.concatenate([-intercepts, intercepts])
    weights[np.abs(weights) < _SMALLEST_WEIGHT] = 0.0
    for category, row, intercept in zip(machine.classes_.tolist(), weights, intercepts.tolist(), strict=True):
        if category >= 0:
            yield category, csr_matrix(row.astype(np.float32).reshape(1, -1)), intercept
