"""From scores to honest probabilities, and from a promise to a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

FEWEST_ROWS = 100
# Rows that are near-identical to each other are right or wrong together, and count once.
FEWEST_DIFFERENT = 30
_NINETY_PERCENT_ONE_SIDED = 1.2815515655446004
_BINS = 15
_SMALLEST = 1e-6
_RIDGE, _RIDGE_OF_BIAS = 1.0, 0.01


def softmax(scores: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities along the last axis; a greater temperature makes them more even."""
    powers = scores - scores.max(axis=-1, keepdims=True)
    powers /= np.float32(temperature)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers


def fit_temperature(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """The temperature with the least log loss (Guo et al., "On calibration of neural networks", 2017)."""
    # Only fitting needs it, and every process that answers would import it for half a second.
    from scipy.optimize import minimize_scalar

    def loss(logarithm: float) -> float:
        picked = softmax(scores, float(np.exp(logarithm)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(picked, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-5.0, 3.0), method="bounded").x))


@dataclass(frozen=True, slots=True)
class Logistic:
    """P(right) = 1 / (1 + exp(-(bias + weights . (signals - centre) / scale)))."""

    weights: tuple[float, ...]
    bias: float
    centre: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def fit(cls, rows: Floats, right: Truths) -> "Logistic":
        """Ridge logistic regression by Newton's method, with some doubt to begin with.

        The doubt is two wrong rows at zero signals (no lead over the second and the third), so that a model
        which was never wrong out of fold still hesitates where its lead is small.
        """
        doubted = np.vstack([rows, np.zeros((2, rows.shape[1]))])
        centre, scale = doubted.mean(axis=0), np.maximum(doubted.std(axis=0), 1e-3)
        design = np.column_stack([(doubted - centre) / scale, np.ones(len(doubted))])
        truth = np.concatenate([right.astype(float), [0.0, 0.0]])
        penalty = np.diag([_RIDGE] * rows.shape[1] + [_RIDGE_OF_BIAS])
        weights = np.zeros(design.shape[1])
        for _ in range(50):
            chance = _sigmoid(design @ weights)
            slope = design.T @ (chance - truth) + penalty @ weights
            curve = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
            step = np.linalg.solve(curve, slope)
            weights -= step
            if np.abs(step).max() < 1e-9:
                break
        return cls(
            tuple(weights[:-1].tolist()), float(weights[-1]), tuple(centre.tolist()), tuple(scale.tolist())
        )

    def predict(self, rows: Floats) -> Floats:
        """Probabilities of being right, one a row."""
        standard = (rows - np.array(self.centre)) / np.array(self.scale)
        return _sigmoid(standard @ np.array(self.weights) + self.bias)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Confidence:
    """How probabilities become the confidence of the first answer, and from where it may be trusted.

    ``above`` and ``above_threshold`` are the same for the categories over an answer that is not certain.
    """

    logistic: Logistic
    threshold: float | None
    above: Logistic | None = None
    above_threshold: float | None = None


def logit(chances: Floats) -> Floats:
    """The log odds of probabilities."""
    kept = np.clip(chances, _SMALLEST, 1.0 - _SMALLEST)
    return np.asarray(np.log(kept / (1.0 - kept)), dtype=np.float64)


def wilson_lower_bound(right: Floats, total: Floats) -> Floats:
    """One-sided 90 % lower bound of a proportion (Wilson, "Probable inference", 1927)."""
    z = _NINETY_PERCENT_ONE_SIDED
    share = right / total
    spread = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return np.asarray((share + z * z / (2 * total) - spread) / (1 + z * z / total), dtype=np.float64)


def fit_threshold(
    confidence: Floats, right: Truths, promised: float, groups: NDArray[np.int64] | None = None
) -> float | None:
    """The least confidence above which the promise holds on at least 100 rows, or None if there is none.

    ``groups`` are given where the rows are of some kinds and what is to come is of as many others: then the bound has
    room for the difference between kinds.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered, hits = confidence[order], right[order].astype(float)
    total = np.arange(1, len(order) + 1, dtype=float)
    bound = wilson_lower_bound(np.cumsum(hits), total)
    if groups is not None:
        bound = np.minimum(bound, _bound_over_groups(hits, groups[order]))
    last_of_equals = np.append(ordered[1:] != ordered[:-1], True)
    good = np.flatnonzero((bound >= promised) & last_of_equals & (total >= FEWEST_ROWS))
    return float(ordered[good[-1]]) if len(good) else None


def _bound_over_groups(hits: Floats, groups: NDArray[np.int64]) -> Floats:
    """One-sided 90 % lower bounds of the share of hits among the first rows, for other groups than these.

    The variance is that of a ratio over clusters (W. Cochran, "Sampling Techniques", 1977, chapter 11), twice: with
    r the ratio, n rows and h hits of a group, 2 * sum of (h - r n)^2 over the groups / (sum of n)^2.
    """
    total = np.arange(1, len(hits) + 1, dtype=float)
    share = np.cumsum(hits) / total
    squares = np.zeros(len(hits))
    for group in np.unique(groups):
        own = groups == group
        squares += (np.cumsum(hits * own) - share * np.cumsum(own)) ** 2
    spread = np.sqrt(2 * squares) / total
    return np.asarray(share - _NINETY_PERCENT_ONE_SIDED * spread, dtype=np.float64)


def reliability(confidence: Floats, right: Truths) -> list[dict[str, float | int]]:
    """Mean confidence and accuracy of each of 15 bins of equal width that is not empty."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        {
            "from": round(number / _BINS, 4),
            "to": round((number + 1) / _BINS, 4),
            "confidence": round(float(confidence[bins == number].mean()), 4),
            "accuracy": round(float(right[bins == number].mean()), 4),
            "count": int((bins == number).sum()),
        }
        for number in np.unique(bins).tolist()
    ]


def expected_calibration_error(confidence: Floats, right: Truths) -> float:
    """Mean distance of confidence and accuracy over 15 bins of equal width (Naeini et al., 2015)."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps: Sequence[float] = [
        float((bins == one).mean() * abs(confidence[bins == one].mean() - right[bins == one].mean()))
        for one in np.unique(bins)
    ]
    return float(sum(gaps))
