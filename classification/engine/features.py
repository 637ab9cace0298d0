"""Products as sparse rows of numbers.

Three views of a product lie side by side, each weighed by TF-IDF and scaled to length one:

- runs of 2 to 5 letters of the title, blanks included, so that they carry the order of words;
- the same with every digit as a zero, where there is a digit: ``DHP484`` and ``DHP482`` have ``dhp000`` in common;
- words and pairs of words of everything: title, maker, part number, description, attributes.

    weight = (1 + ln(tf)) * sqrt(1 + ln((1 + N) / (1 + df)))

with the sublinear tf and the smooth idf of scikit-learn. It is the root of idf, so that idf counts once in the product
of two rows, not twice. A feature is known by its hash alone (see ``hashing``); what it says in letters is read from the
product at hand. Features of a single product are left out but for the words of titles without a digit: a name that
was seen once may be seen again, and what it stands beside then needs to say less.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from classification.engine.data import Text
from classification.engine.hashing import Hashes, Integers, Letters, Runs, pairs, places_in
from classification.engine.text import STOP_WORDS

Floats = NDArray[np.float32]

NAME_LIMIT = 500
SHORT_LIMIT = 200
LONG_LIMIT = 1_500
SHORTEST, LONGEST = 2, 5
VIEW_WEIGHTS = (1.0, 0.7, 1.0)
MOST_FEATURES = 250_000
_FEWEST_ROWS = 2
_ROWS_AT_ONCE = 1_000
_SLOTS_PER_FEATURE = 4
_STOP_WORDS = np.sort(Letters([" ".join(sorted(STOP_WORDS))]).words().hashes)


def _plain(text: str) -> str:
    """Lower case, without accents and variants of letters."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).lower()


def title_of(text: Text) -> str:
    """The title with single blanks."""
    return " ".join(_plain(text.name[:NAME_LIMIT]).split())


def remarks_of(text: Text) -> str:
    """Maker, part number, description and attributes as one text."""
    parts = []
    if text.manufacturer:
        parts.append(text.manufacturer[:SHORT_LIMIT])
    if text.part_number:
        parts.append(text.part_number[:SHORT_LIMIT])
    if text.description:
        parts.append(text.description[:LONG_LIMIT])
    if text.attributes:
        parts.append(_attributes(text)[:LONG_LIMIT])
    return _plain(" ".join(parts)) if parts else ""


def _attributes(text: Text) -> str:
    values = text.attributes
    return " ".join(f"{key[:SHORT_LIMIT]} {str(values[key])[:SHORT_LIMIT]}" for key in sorted(values))


class Batch(NamedTuple):
    """The letters of a batch of products and the runs of each view.

    Titles stand between two blanks; wholes are the titles followed by all the rest. The views are runs of letters, the
    same with zeros, words, and pairs of words.
    """

    titles: Letters
    wholes: Letters
    views: tuple[Runs, Runs, Runs, Runs]


def batch_of(texts: Sequence[Text]) -> Batch:
    """Read a batch."""
    names = [title_of(text) for text in texts]
    titles = Letters([f" {name} " for name in names])
    wholes = Letters([f"{name} {remarks_of(text)} " for name, text in zip(names, texts, strict=True)])
    words = wholes.words()
    grams = titles.grams(SHORTEST, LONGEST)
    numbers = titles.with_zeros().grams(SHORTEST, LONGEST, with_digit=True)
    return Batch(titles, wholes, (grams, numbers, words, pairs(words)))


class Vocabulary:
    """Which column a hash has.

    A hash table with open addressing and linear probing: the slot of a hash is its low bits, or the next free
    one. ``hashes`` are numbered in ascending order.
    """

    def __init__(self, hashes: Hashes) -> None:
        self.hashes = hashes
        size = 1 << max(4, int(len(hashes) * _SLOTS_PER_FEATURE - 1).bit_length())
        self._mask = np.uint64(size - 1)
        self._keys = np.zeros(size, dtype=np.uint64)
        self._columns = np.full(size, -1, dtype=np.int32)
        waiting = np.arange(len(hashes), dtype=np.int32)
        slots = (hashes & self._mask).astype(np.int64)
        while len(waiting):
            free = self._columns[slots] < 0
            # Of several that want one slot the last written has it.
            self._columns[slots[free]] = waiting[free]
            placed = self._columns[slots] == waiting
            self._keys[slots[placed]] = hashes[waiting[placed]]
            waiting, slots = waiting[~placed], (slots[~placed] + 1) & np.int64(size - 1)

    def columns(self, hashes: Hashes) -> NDArray[np.int32]:
        """The column of each hash, -1 for those that are not known."""
        slots = (hashes & self._mask).astype(np.int64)
        found = self._columns[slots]
        lost = np.flatnonzero((found >= 0) & (self._keys[slots] != hashes))
        while len(lost):
            slots[lost] = (slots[lost] + 1) & np.int64(self._mask)
            found[lost] = self._columns[slots[lost]]
            lost = lost[(found[lost] >= 0) & (self._keys[slots[lost]] != hashes[lost])]
        return found


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Known features of a batch, as they stand in it: row, column, and which run of ``Batch.views`` it is."""

    rows: Integers
    columns: Integers
    runs: Integers


class Features:
    """The columns of a classifier.

    ``hashes`` (ascending) and ``idf`` (its root) have one entry a column, ``views`` says to which of the three views it
    belongs.
    """

    def __init__(self, hashes: Hashes, idf: Floats, views: NDArray[np.int8]) -> None:
        self.hashes, self.idf, self.views = hashes, idf, views
        self.vocabulary = Vocabulary(hashes)

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.hashes)

    @classmethod
    def fit(cls, texts: Sequence[Text]) -> "Features":
        """Collect the words of titles without a digit, and the features that at least two of the texts have.

        If there are too many, the most frequent ones.
        """
        found: list[list[tuple[Hashes, Integers]]] = [[], [], []]
        named: list[Hashes] = [np.zeros(0, dtype=np.uint64)]
        for start in range(0, len(texts), _ROWS_AT_ONCE):
            batch = batch_of(texts[start : start + _ROWS_AT_ONCE])
            named.append(np.unique(batch.titles.words(without_digit=True).hashes))
            for view, runs in _by_view(batch):
                found[view].append(_once_a_row(runs.rows, runs.hashes))
        words = np.unique(np.concatenate(named))
        parts = [_kept(view, chunks, len(texts), words) for view, chunks in enumerate(_merged(found))]
        hashes, idf, views = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], idf[order], views[order])

    def keep(self, columns: Integers) -> "Features":
        """The features of some columns (ascending)."""
        return Features(self.hashes[columns], self.idf[columns], self.views[columns])

    def occurrences(self, batch: Batch) -> Occurrences:
        """Where known features stand; runs are numbered through all views."""
        hashes = np.concatenate([runs.hashes for runs in batch.views])
        rows = np.concatenate([runs.rows for runs in batch.views])
        columns = self.vocabulary.columns(hashes)
        known = np.flatnonzero(columns >= 0)
        return Occurrences(rows[known], columns[known].astype(np.int64), known)

    def transform(self, texts: Sequence[Text]) -> csr_matrix:
        """One float32 row of ``size`` columns for each text."""
        parts = [
            self.rows_of(self.occurrences(batch_of(chunk)), len(chunk))
            for chunk in (texts[at : at + _ROWS_AT_ONCE] for at in range(0, len(texts), _ROWS_AT_ONCE))
        ]
        return vstack(parts, format="csr")

    def rows_of(self, found: Occurrences, count: int) -> csr_matrix:
        """Weigh occurrences: ``count`` rows, the columns of each in ascending order."""
        keys = found.rows * self.size + found.columns
        keys.sort()
        firsts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else keys
        times = np.diff(np.append(firsts, len(keys)))
        keys = keys[firsts]
        rows, columns = np.divmod(keys, self.size) if self.size else (keys, keys)
        weights = self.idf[columns] * (1 + np.log(times, dtype=np.float32))
        place = rows * len(VIEW_WEIGHTS) + self.views[columns]
        squares = np.bincount(place, weights * weights, minlength=count * len(VIEW_WEIGHTS))
        scale = np.tile(VIEW_WEIGHTS, count) / np.sqrt(np.maximum(squares, 1e-12))
        starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=count))))
        data = (weights * scale[place]).astype(np.float32)
        return csr_matrix((data, columns.astype(np.int32), starts.astype(np.int32)), shape=(count, self.size))


def familiarity(batch: Batch, found: Occurrences, count: int) -> NDArray[np.float64]:
    """How much of each product is known, of shape (count, 3).

    The known shares of its runs of five letters and of the letters in its words, and ln(1 + the number of its words
    that are no stop words). The columns of ``found`` are what is known.
    """
    grams, words = batch.views[0], batch.views[2]
    lengths = words.ends - words.starts
    first_word = len(grams.rows) + len(batch.views[1].rows)
    known_words = (
        found.runs[(found.runs >= first_word) & (found.runs < first_word + len(lengths))] - first_word
    )
    known_grams = found.runs[found.runs < len(grams.rows)]
    is_long = grams.ends - grams.starts == LONGEST
    return np.column_stack(
        [
            _share(grams.rows, is_long.astype(np.float64), known_grams, count),
            _share(words.rows, lengths.astype(np.float64), known_words, count),
            np.log1p(np.bincount(words.rows[places_in(_STOP_WORDS, words.hashes) < 0], minlength=count)),
        ]
    )


def familiarity_of(features: Features, texts: Sequence[Text]) -> NDArray[np.float64]:
    """How much of each text the features know, of shape (texts, 3)."""
    found = [np.zeros((0, 3))]
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        batch = batch_of(texts[start : start + _ROWS_AT_ONCE])
        found.append(familiarity(batch, features.occurrences(batch), len(batch.titles.ends)))
    return np.vstack(found)


def _share(rows: Integers, weights: NDArray[np.float64], known: Integers, count: int) -> NDArray[np.float64]:
    """The weight of the known runs of each row beside that of all its runs."""
    part = np.bincount(rows[known], weights[known], minlength=count)
    return np.asarray(part / np.maximum(1.0, np.bincount(rows, weights, minlength=count)), dtype=np.float64)


def _by_view(batch: Batch) -> Iterator[tuple[int, Runs]]:
    """Words and pairs of words are one view."""
    yield from zip((0, 1, 2, 2), batch.views, strict=True)


def _once_a_row(rows: Integers, hashes: Hashes) -> tuple[Hashes, Integers]:
    """The different hashes and in how many rows each stands."""
    order = np.lexsort((hashes, rows))
    rows, hashes = rows[order], hashes[order]
    first = np.concatenate(([True], (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])))[: len(rows)]
    return np.unique(hashes[first], return_counts=True)


def _merged(found: Iterable[Sequence[tuple[Hashes, Integers]]]) -> Iterator[tuple[Hashes, Integers]]:
    for chunks in found:
        hashes = np.concatenate([one for one, _ in chunks])
        counts = np.concatenate([count for _, count in chunks])
        different, places = np.unique(hashes, return_inverse=True)
        yield different, np.bincount(places, counts, minlength=len(different)).astype(np.int64)


def _kept(
    view: int, found: tuple[Hashes, Integers], total: int, always: Hashes
) -> tuple[Hashes, Floats, NDArray[np.int8]]:
    hashes, counts = found
    is_often = counts >= min(_FEWEST_ROWS, max(1, total - 1))
    often = np.flatnonzero(is_often | np.isin(hashes, always))
    if len(often) > MOST_FEATURES:
        often = np.sort(often[np.argsort(-counts[often], kind="stable")[:MOST_FEATURES]])
    root = np.sqrt(1 + np.log((1 + total) / (1 + counts[often]))).astype(np.float32)
    return hashes[often], root, np.full(len(often), view, dtype=np.int8)
