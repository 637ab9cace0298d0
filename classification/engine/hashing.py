"""Runs of letters and words of many texts at once, each as one 64-bit number.

A run of letters is read as a polynomial in an odd number p, modulo 2^64 (R. Karp and M. Rabin, "Efficient
randomized pattern-matching algorithms", 1987):

    H(start, end) = sum over start <= k < end of (letter[k] + 1) * p^(k - start)

Because p is odd it has an inverse, so all runs of all lengths follow from one sum over the letters,

    H(start, end) = (S[end] - S[start]) * p^-start    with S[k] = sum over i < k of (letter[i] + 1) * p^i

and a batch of texts takes a few array operations, whatever the number of texts. The results are scattered by the
finaliser of SplitMix64 (G. Steele et al., "Fast splittable pseudorandom number generators", 2014).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Integers = NDArray[np.int64]

_MULTIPLIER = 0x9E3779B97F4A7C15
_INVERSE = pow(_MULTIPLIER, -1, 1 << 64)
_FIRST, _SECOND, _PAIR = (
    np.uint64(number) for number in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9FB21C651E98DF25)
)
_WORDS_SALT, _PAIRS_SALT = 1000, 2000
_TABLE_SIZE = 1 << 17
_ZERO, _NINE = ord("0"), ord("9")
_LAST_OF_PLANE = 0xFFFF
_IS_WORD = np.array([chr(code).isalnum() for code in range(_LAST_OF_PLANE + 1)])


def _powers(base: int, count: int) -> Hashes:
    factors = np.full(count, base, dtype=np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


_POWERS, _INVERSES = _powers(_MULTIPLIER, _TABLE_SIZE), _powers(_INVERSE, _TABLE_SIZE)


class Runs(NamedTuple):
    """Runs of letters: the row of each, its hash, and where it starts and ends among all letters."""

    rows: Integers
    hashes: Hashes
    starts: Integers
    ends: Integers


def places_in(ascending: NDArray[Any], values: NDArray[Any]) -> Integers:
    """The place of each value among different ones in ascending order, -1 for those that are not among them."""
    if not len(ascending):
        return np.full(len(values), -1)
    places = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.where(ascending[places] == values, places, -1)


class Letters:
    """The letters of a batch of texts, laid one after the other.

    ``rows`` and ``codes`` are as long as all texts together; letters outside of the basic plane part words.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._read("".join(texts))
        self.ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
        self.rows = np.repeat(np.arange(len(texts)), np.diff(self.ends, prepend=0))

    def _read(self, joined: str) -> None:
        if joined.isascii():
            self.codes = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
        else:
            self.codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)

    def with_zeros(self) -> "Letters":
        """The same with every digit as a zero."""
        same = object.__new__(Letters)
        is_digit = (self.codes >= _ZERO) & (self.codes <= _NINE)
        same.codes = np.where(is_digit, _ZERO, self.codes).astype(self.codes.dtype)
        same.ends, same.rows = self.ends, self.rows
        return same

    def _hashes(self, starts: Integers, ends: Integers, salt: int) -> Hashes:
        sums, inverses = self._sums_and_inverses()
        return _scatter((sums[ends] - sums[starts]) * inverses[starts], salt)

    def _sums_and_inverses(self) -> tuple[Hashes, Hashes]:
        cached = getattr(self, "_cached", None)
        if cached is None:
            count = len(self.codes)
            fits = count < _TABLE_SIZE
            powers = _POWERS if fits else _powers(_MULTIPLIER, count + 1)
            inverses = _INVERSES if fits else _powers(_INVERSE, count + 1)
            sums = np.zeros(count + 1, dtype=np.uint64)
            np.cumsum((self.codes.astype(np.uint64) + np.uint64(1)) * powers[:count], out=sums[1:])
            cached = self._cached = (sums, inverses)
        return cached

    def grams(self, shortest: int, longest: int, *, with_digit: bool = False) -> Runs:
        """All runs of ``shortest`` to ``longest`` letters within a text; if asked, those that hold a zero."""
        left = self.ends[self.rows] - np.arange(len(self.codes))
        zeros = np.concatenate(([0], np.cumsum(self.codes == _ZERO))) if with_digit else None
        parts = []
        for length in range(shortest, longest + 1):
            starts = np.flatnonzero(left >= length)
            if zeros is not None:
                starts = starts[zeros[starts + length] > zeros[starts]]
            ends = starts + length
            parts.append(Runs(self.rows[starts], self._hashes(starts, ends, length), starts, ends))
        return _joined(parts)

    def words(self, *, without_digit: bool = False) -> Runs:
        """All words: longest runs of letters and digits within a text; if asked, those of letters alone."""
        is_narrow = self.codes.dtype == np.uint8
        is_word = _IS_WORD[self.codes if is_narrow else np.minimum(self.codes, _LAST_OF_PLANE)]
        goes_on = np.zeros(len(self.codes) + 1, dtype=bool)
        goes_on[1:-1] = is_word[1:] & is_word[:-1] & (self.rows[1:] == self.rows[:-1])
        starts = np.flatnonzero(is_word & ~goes_on[:-1])
        ends = np.flatnonzero(is_word & ~goes_on[1:]) + 1
        if without_digit:
            digits = np.concatenate(([0], np.cumsum((self.codes >= _ZERO) & (self.codes <= _NINE))))
            kept = digits[starts] == digits[ends]
            starts, ends = starts[kept], ends[kept]
        return Runs(self.rows[starts], self._hashes(starts, ends, _WORDS_SALT), starts, ends)

    def text(self, start: int, end: int) -> str:
        """The letters from ``start`` to ``end``."""
        part = self.codes[start:end]
        return part.astype(np.uint32).tobytes().decode("utf-32-le", "surrogatepass")


def pairs(words: Runs) -> Runs:
    """Neighbouring words of one text."""
    same = np.flatnonzero(words.rows[1:] == words.rows[:-1])
    hashes = _scatter(words.hashes[same] * _PAIR + words.hashes[same + 1], _PAIRS_SALT)
    return Runs(words.rows[same], hashes, words.starts[same], words.ends[same + 1])


def _joined(parts: Sequence[Runs]) -> Runs:
    return Runs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _scatter(values: Hashes, salt: int) -> Hashes:
    mixed = values + np.uint64(salt)
    mixed ^= mixed >> np.uint64(31)
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(29)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(32)
    return mixed
