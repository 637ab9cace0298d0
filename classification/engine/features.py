"""Texts as sparse TF-IDF rows: character 2- to 5-grams of the title, words and word pairs of the whole text.

Each of the two views is weighted (1 + ln tf) * idf with idf = 1 + ln((1 + n) / (1 + df)) and scaled to length
one (Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988; smoothing as in
scikit-learn), so that neither drowns the other.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.data import Text
from classification.engine.text import (
    DESCRIPTION_LIMIT,
    NAME_LIMIT,
    SHORT_LIMIT,
    STOP_WORDS,
    attributes_text,
    clean,
)

SHORTEST, LONGEST = 2, 5
MOST_FEATURES = 200_000
_WORD = re.compile(r"[^\W_]+")


def gram_counts(title: str) -> Counter[str]:
    """Character 2- to 5-grams of a cleaned title, blanks at both ends included."""
    padded = f" {title} "
    sizes = range(SHORTEST, LONGEST + 1)
    return Counter(padded[at : at + size] for size in sizes for at in range(len(padded) - size + 1))


def word_counts(text: str) -> Counter[str]:
    """Words and pairs of neighbouring words of a cleaned text."""
    found = _WORD.findall(text)
    return Counter(chain(found, (f"{one} {two}" for one, two in pairwise(found))))


def title_of(text: Text) -> str:
    """The cleaned title."""
    return " ".join(clean(text.name, NAME_LIMIT).split())


def whole_text_of(text: Text) -> str:
    """Maker, title, part number, description and attributes as one cleaned text."""
    parts = (
        clean(text.manufacturer, SHORT_LIMIT),
        title_of(text),
        clean(text.part_number, SHORT_LIMIT),
        clean(text.description, DESCRIPTION_LIMIT),
        attributes_text(text.attributes),
    )
    return " ".join(part for part in parts if part)


class View:
    """One vocabulary of features with their idf; ``names`` are numbered from 0 in sorted order."""

    def __init__(self, names: Sequence[str], idf: NDArray[np.float32]) -> None:
        self.names = list(names)
        self.idf = idf
        weights = idf.tolist()
        self._known = {name: (number, weights[number]) for number, name in enumerate(self.names)}

    @classmethod
    def fit(cls, rows: Iterable[Counter[str]], fewest: int) -> "View":
        """Keep the features of at least ``fewest`` rows, the most frequent ones if there are too many."""
        found: Counter[str] = Counter()
        total = 0
        for row in rows:
            total += 1
            found.update(row.keys())
        kept = sorted(
            ((name, count) for name, count in found.items() if count >= fewest),
            key=lambda item: (-item[1], item[0]),
        )[:MOST_FEATURES]
        names = sorted(name for name, _ in kept)
        counts = np.array([found[name] for name in names], dtype=np.float64)
        return cls(names, (1 + np.log((1 + total) / (1 + counts))).astype(np.float32))

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def weigh(self, row: Counter[str]) -> tuple[list[int], list[float]]:
        """Numbers and weights of a row's known features, scaled to length one."""
        known = self._known
        numbers, weights, squares = [], [], 0.0
        for name, count in row.items():
            feature = known.get(name)
            if feature is not None:
                weight = feature[1] if count == 1 else feature[1] * (1 + log(count))
                numbers.append(feature[0])
                weights.append(weight)
                squares += weight * weight
        length = sqrt(squares) or 1.0
        return numbers, [weight / length for weight in weights]


class Features:
    """Both views side by side: columns of grams first, then columns of words."""

    def __init__(self, grams: View, words: View) -> None:
        self.grams = grams
        self.words = words

    @classmethod
    def fit(cls, texts: Sequence[Text]) -> "Features":
        """Collect the features of the texts; grams that occur once say nothing about another text."""
        grams = View.fit((gram_counts(title_of(text)) for text in texts), fewest=2)
        words = View.fit((word_counts(whole_text_of(text)) for text in texts), fewest=1)
        return cls(grams, words)

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.grams.names) + len(self.words.names)

    def name_of(self, column: int) -> str:
        """The gram, word or pair of a column."""
        offset = len(self.grams.names)
        return self.grams.names[column] if column < offset else self.words.names[column - offset]

    def transform(self, texts: Sequence[Text]) -> csr_matrix:
        """One float32 row of ``size`` columns for each text."""
        columns: list[int] = []
        weights: list[float] = []
        ends = [0]
        offset = len(self.grams.names)
        for text in texts:
            numbers, values = self.grams.weigh(gram_counts(title_of(text)))
            columns += numbers
            weights += values
            numbers, values = self.words.weigh(word_counts(whole_text_of(text)))
            columns += [number + offset for number in numbers]
            weights += values
            ends.append(len(columns))
        parts = (np.array(weights, np.float32), np.array(columns, np.int32), np.array(ends, np.int32))
        matrix = csr_matrix(parts, shape=(len(texts), self.size))
        matrix.sort_indices()
        return matrix

    def familiarity(self, text: Text) -> float:
        """The known share of a text's content words, or of its title's 5-grams if that is greater."""
        found = {word for word in _WORD.findall(whole_text_of(text)) if len(word) > 2} - STOP_WORDS
        words = sum(word in self.words for word in found) / max(1, len(found))
        title = title_of(text)
        if not found:
            return 0.0
        grams = [title[at : at + LONGEST] for at in range(len(title) - LONGEST + 1)]
        known = sum(gram in self.grams for gram in grams) / len(grams) if grams else 0.0
        return max(words, known)
