"""Does a product belong to the catalogue at all?

A classifier that was trained on tools finds the nearest tool for a yoghurt, and on an easy catalogue it does so with
confidence. A second, small model tells what it knows from what it does not: a logistic regression on how much of the
product's letters and words the classifier has seen before and on how clearly the best category leads. It learns from
the classifier's own products, predicted out of fold, and from made-up products of many trades
(``foreign_products.txt``), without the trades that the catalogue itself is about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classification.engine.calibration import Floats, Logistic, Truths
from classification.engine.data import Text

FOREIGN = Path(__file__).with_name("foreign_products.txt")
# Of the catalogue's own products that are certain this share may be asked about all the same, and of all of them this
# share be taken for strangers.
_ASKED, _STRANGE = 0.015, 0.002
_SURELY_FOREIGN = 0.05
# A trade is the catalogue's own if its products are known at least this well, beside those of the catalogue.
_OWN_TRADE = 0.55
_TITLES_IN_DESCRIPTION = 6


@cache
def foreign_trades() -> tuple[tuple[Text, ...], ...]:
    """Made-up products, trade by trade; every second has a description, made of the titles beside it."""
    return tuple(tuple(_texts(titles)) for titles in _sections(FOREIGN))


def _texts(titles: Sequence[str]) -> Iterator[Text]:
    for number, title in enumerate(titles):
        beside = titles[number + 1 : number + 1 + _TITLES_IN_DESCRIPTION] if number % 2 else ()
        yield Text(title, description=". ".join(beside))


def _sections(path: Path) -> Iterator[list[str]]:
    titles: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            if titles:
                yield titles
            titles = []
        elif line.strip():
            titles.append(line.strip())
    yield titles


def gate_signals(familiarity: Floats, scores: NDArray[np.float32]) -> Floats:
    """What the gate looks at, of shape (rows, 5): familiarity, the best score and its lead over the second."""
    two = -np.partition(-scores, 1, axis=1)[:, :2] if scores.shape[1] > 1 else np.hstack([scores, scores - 1])
    return np.column_stack([familiarity, two[:, 0], two[:, 0] - two[:, 1]])


@dataclass(frozen=True, slots=True)
class Gate:
    """``certain_from`` is the belonging that a certain answer needs, ``known_from`` the one that any answer needs."""

    logistic: Logistic
    certain_from: float
    known_from: float

    @classmethod
    def fit(cls, own: Floats, certain: Truths, trades: Sequence[Floats]) -> "Gate | None":
        """Learn from signals of the catalogue's own products and of those of each trade.

        ``certain`` says which of its own products have an answer that would be taken. None when every trade is the
        catalogue's own.
        """
        usual = _known_words(own)
        foreign = [trade for trade in trades if _known_words(trade) < _OWN_TRADE * usual]
        if not foreign:
            return None
        outside = np.vstack(foreign)
        rows = np.vstack([own, outside])
        belongs = np.concatenate([np.ones(len(own), dtype=bool), np.zeros(len(outside), dtype=bool)])
        logistic = Logistic.fit(rows, belongs)
        belonging = logistic.predict(own)
        taken = belonging[certain] if certain.any() else belonging
        known_from = min(_SURELY_FOREIGN, float(np.quantile(belonging, _STRANGE)))
        return cls(logistic, float(np.quantile(taken, _ASKED)), known_from)

    def belonging(self, signals: Floats) -> Floats:
        """How likely each product belongs to the catalogue."""
        return self.logistic.predict(signals)


def _known_words(signals: Floats) -> float:
    return float(np.mean(signals[:, 1]))
