"""The phrases of a taxonomy as arrays: which term stands in which phrase, and which phrase names which leaf."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.hashing import places_in
from classification.engine.phrases import Phrase
from classification.engine.vocabulary import Vocabulary

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

_HEAD_BONUS = 1.5
_K1, _B = 1.2, 0.75
_ALONE, _APART, _ADJACENT = 1.0, 0.85, 0.4


class Lists(NamedTuple):
    """Many lists one after the other in arrays; list ``n`` lies between ``starts[n]`` and ``starts[n + 1]``."""

    starts: Integers
    numbers: Integers
    values: Floats

    def select(self, lists: Integers) -> tuple[Integers, Integers]:
        """The places of all entries of some lists, and for each entry which of the lists it is from."""
        lengths = self.starts[lists + 1] - self.starts[lists]
        owners = np.repeat(np.arange(len(lists)), lengths)
        firsts = self.starts[lists] - np.concatenate(([0], np.cumsum(lengths)[:-1]))
        return firsts[owners] + np.arange(len(owners)), owners

    @classmethod
    def of(cls, owners: Integers, numbers: Integers, values: Floats, lists: int, most: int) -> "Lists":
        """Lists of (number, value) by owner, numbers ascending; the values of equal numbers are added up."""
        matrix = csr_matrix((values, (owners, numbers)), shape=(lists, most))
        matrix.sum_duplicates()
        return cls(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)


class PhraseIndex:
    """Phrases for look-up by term.

    ``shares``: term → the distinct phrases with it, and how much of the phrase it is. ``namings``: term → the
    phrases with it leaf by leaf, and how well each names its leaf; ``saturation`` and ``is_new_leaf`` have an entry for
    each of these. ``pairs``: pair of neighbours (its place in ``pair_keys``) → the phrases with it, and by which part
    of itself it makes their match better.
    """

    def __init__(self, phrases: Sequence[Phrase], vocabulary: Vocabulary, idf: Floats, leaves: int) -> None:
        numbers: dict[tuple[str, ...], int] = {}
        of_phrase = np.array([numbers.setdefault(one.words, len(numbers)) for one in phrases], dtype=np.int64)
        terms = [[vocabulary.numbers[word] for word in words] for words in numbers]
        self.size = len(terms)
        self.leaves = leaves
        lengths = np.array([len(one) for one in terms], dtype=np.int64)
        self.base = np.where(lengths > 1, _APART, _ALONE)
        flat = np.array([term for one in terms for term in one], dtype=np.int64)
        self.shares = _shares(flat, lengths, idf)
        self._index_namings(phrases, of_phrase)
        self._index_pairs(terms, len(idf))

    def _index_namings(self, phrases: Sequence[Phrase], of_phrase: Integers) -> None:
        """Every phrase of every leaf under each of its terms, ordered by term and leaf."""
        naming_leaves = np.array([phrase.leaf for phrase in phrases], dtype=np.int64)
        weights = np.array([phrase.weight for phrase in phrases], dtype=np.float64)
        order = np.argsort(of_phrase, kind="stable")
        starts = np.concatenate(([0], np.cumsum(np.bincount(of_phrase, minlength=self.size))))
        grouped = Lists(starts, naming_leaves[order], weights[order])
        places, owners = grouped.select(self.shares.numbers)
        counts = np.diff(self.shares.starts)
        terms = np.repeat(np.arange(len(counts)), counts)[owners]
        order = np.lexsort((grouped.numbers[places], terms))
        terms, places, owners = terms[order], places[order], owners[order]
        self.naming_leaves = grouped.numbers[places]
        changed = (terms[1:] != terms[:-1]) | (self.naming_leaves[1:] != self.naming_leaves[:-1])
        self.is_new_leaf: Truths = np.concatenate((np.ones(min(1, len(terms)), dtype=bool), changed))
        starts = np.concatenate(([0], np.cumsum(np.bincount(terms, minlength=len(counts)))))
        self.namings = Lists(starts, self.shares.numbers[owners], grouped.values[places])
        self.saturation = self._saturated(grouped.values[places])

    def _saturated(self, weights: Floats) -> Floats:
        """How often the term of each naming stands in all phrases of its leaf, saturated (see ``ranking``)."""
        pairs = np.cumsum(self.is_new_leaf) - 1
        found = np.bincount(pairs, weights)
        leaves = self.naming_leaves[self.is_new_leaf]
        lengths = np.bincount(leaves, found, minlength=self.leaves)
        usual = lengths[lengths > 0].mean() if len(found) else 1.0
        norms = _K1 * (1 - _B + _B * lengths / usual)
        return np.asarray((found * (_K1 + 1) / (found + norms[leaves]))[pairs])

    def _index_pairs(self, terms: Sequence[Sequence[int]], vocabulary_size: int) -> None:
        found = [
            (first * vocabulary_size + second, number, _ADJACENT / _APART / (len(one) - 1))
            for number, one in enumerate(terms)
            for first, second in set(pairwise(one))
        ]
        keys = np.array([key for key, _, _ in found], dtype=np.int64)
        self.pair_keys, owners = np.unique(keys, return_inverse=True)
        numbers = np.array([number for _, number, _ in found], dtype=np.int64)
        values = np.array([value for _, _, value in found], dtype=np.float64)
        self.pairs = Lists.of(owners, numbers, values, len(self.pair_keys), max(1, self.size))

    def pair_numbers(self, keys: Integers) -> Integers:
        """The numbers of pairs of neighbours, -1 for those that no phrase has."""
        return places_in(self.pair_keys, keys)


def _shares(flat: Integers, lengths: Integers, idf: Floats) -> Lists:
    """Term → phrases: how much of the phrase the term is, by idf, with a bonus for the head, its last word."""
    ends = np.cumsum(lengths) - 1
    parts = idf[flat]
    parts[ends] *= _HEAD_BONUS
    owners = np.repeat(np.arange(len(lengths)), lengths)
    totals = np.bincount(owners, parts, minlength=len(lengths))
    return Lists.of(flat, owners, parts / np.where(totals > 0, totals, 1.0)[owners], len(idf), len(lengths))
