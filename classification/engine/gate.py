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
from typing import NamedTuple

import numpy as np

from classification.engine.calibration import Floats, Logistic
from classification.engine.data import Text

FOREIGN = Path(__file__).with_name("foreign_products.txt")
# Of the catalogue's own products that are certain this share may be asked about all the same, and of all of them this
# share be taken for strangers.
_ASKED, _STRANGE = 0.015, 0.002
# Of foreign products at most this share may have a certain answer, and this one an answer at a higher level.
_LET_IN, _NEAR = 0.02, 0.05
_FLOORS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99)
_LEAST_STEP = 1e-9
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


class Shown(NamedTuple):
    """Products as the gate sees them: their signals, and the confidences of their answers."""

    signals: Floats
    confidence: Floats


@dataclass(frozen=True, slots=True)
class Gate:
    """``certain_from`` is the belonging that a certain answer needs, ``near_from`` the one that backing off needs, and
    ``known_from`` the one that any answer needs.
    """

    logistic: Logistic
    certain_from: float
    near_from: float
    known_from: float

    @classmethod
    def fit(
        cls, own: Shown, trades: Sequence[Shown], least: float | None
    ) -> "tuple[Gate | None, float | None]":
        """Learn from the catalogue's own products and those of each trade.

        The gate and the confidence that a certain answer needs, which is ``least`` or more. Both are chosen together:
        as many of the catalogue's own products as possible shall be certain, and hardly any foreign one. None when
        every trade is the catalogue's own.
        """
        usual = _known_words(own)
        foreign = [trade for trade in trades if _known_words(trade) < _OWN_TRADE * usual]
        if not foreign:
            return None, least
        outside = Shown(*map(np.concatenate, zip(*foreign, strict=True)))
        belongs = np.repeat([True, False], [len(own.signals), len(outside.signals)])
        logistic = Logistic.fit(np.vstack([own.signals, outside.signals]), belongs)
        inside, let_in = logistic.predict(own.signals), logistic.predict(outside.signals)
        known_from = min(_SURELY_FOREIGN, float(np.quantile(inside, _STRANGE)))
        near_from = float(np.quantile(let_in, 1 - _NEAR))
        if least is None:
            return cls(logistic, float(np.quantile(inside, _ASKED)), near_from, known_from), None
        _, threshold, certain_from = max(
            _with_threshold(threshold, own, inside, outside, let_in)
            for threshold in (least, *(floor for floor in _FLOORS if floor > least))
        )
        return cls(logistic, certain_from, min(near_from, certain_from), known_from), threshold

    def belonging(self, signals: Floats) -> Floats:
        """How likely each product belongs to the catalogue."""
        return self.logistic.predict(signals)


def _with_threshold(
    threshold: float, own: Shown, inside: Floats, outside: Shown, let_in: Floats
) -> tuple[float, float, float]:
    """How much of the own products is certain, the threshold, and the belonging that is needed beside it."""
    taken = own.confidence >= threshold
    asked = float(np.quantile(inside[taken], _ASKED)) if taken.any() else 1.0
    tempted = np.where(outside.confidence >= threshold, let_in, 0.0)
    needed = max(asked, float(np.quantile(tempted, 1 - _LET_IN, method="higher")) + _LEAST_STEP)
    return float(np.mean(taken & (inside >= needed))), threshold, needed


def _known_words(shown: Shown) -> float:
    return float(np.mean(shown.signals[:, 1]))
