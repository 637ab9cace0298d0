"""Ranking categories without any example: how much of a product's text do a category's phrases explain?

For a product text with words w and a leaf c with phrases p (its name, its keywords, the names above it)

    score(c) = sum over w of  place(w) * idf(w) * surety(w) * max over p containing w of  weight(p) * quality(p)
    quality(p) = cover(p) ** 1.5 * (1                                 if p is one word
                                    .85 + .4 * adjacent(p)            otherwise)

where cover(p) is the share of the phrase found in the text (its words weighted by idf, the last one, the head
noun, more), adjacent(p) the share of its neighbouring pairs found side by side and in order, place(w) says where
in the text the word stands, and surety(w) is below 1 for a word that is only taken for that of the phrase. Each
word of the text counts once for a category, however many keywords repeat it, so a category with many keywords
has no advantage. idf is that of Robertson and Spärck Jones over leaves, idf(w) = ln(1 + (N - df + .5) /
(df + .5)), halved for words that stand in every product.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classification.engine.data import Category, Evidence, Text
from classification.engine.phrases import ANCESTOR_WEIGHT, Phrase, leaves_of, phrases_of
from classification.engine.places import Place, neighbours, places_of, strongest
from classification.engine.text import GENERIC_WORDS, NAME_LIMIT, clean, is_measure, words
from classification.engine.vocabulary import Vocabulary

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_PHRASE_HEAD_BONUS = 1.5
_GENERIC_FACTOR = 0.35
_MEASURE_FACTOR = 0.25
_FEWEST_PRODUCTS = 200
_LEAST_SCORE = 0.2
_SHARPNESS = 8.0
_BIAS, _SIGNAL_WEIGHTS = -5.0, (2.0, 3.0, 1.5, -2.0)
COLD_THRESHOLD = 0.9


@dataclass(frozen=True, slots=True)
class ProductFrequencies:
    """In how many of ``total`` product titles a term of the taxonomy stands."""

    total: int = 0
    counts: Mapping[str, int] | None = None


class _Occurrences(NamedTuple):
    """Postings of all terms one after the other; those of a term lie between its two starts."""

    starts: list[int]
    phrases: Integers
    shares: Floats


class Reading(NamedTuple):
    """What the cold start sees in a text.

    The scores of all leaves, the score that a perfect match would have, the places of the text's terms with
    what they are worth, and the credit that they give: place number, leaf and weight of each posting.
    """

    scores: Floats
    possible: float
    places: Sequence[Place] = ()
    worth: Floats = np.zeros(0)
    numbers: Integers = np.zeros(0, dtype=np.int64)
    leaves: Integers = np.zeros(0, dtype=np.int64)
    credit: Floats = np.zeros(0)

    def is_known(self) -> bool:
        """Whether anything in the text speaks for any leaf."""
        return self.possible > 0 and float(self.scores.max()) >= _LEAST_SCORE

    def probabilities(self) -> Floats:
        """Scores as probabilities, exp(sharpness * score / best score); all zero when nothing is known."""
        best = float(self.scores.max())
        if best <= 0:
            return np.zeros(len(self.scores))
        powers = np.zeros(len(self.scores))
        known = np.flatnonzero(self.scores)
        powers[known] = np.exp(_SHARPNESS * (self.scores[known] / best - 1.0))
        return np.asarray(powers / powers.sum(), dtype=np.float64)

    def confidence(self, leaf: int) -> float:
        """A fixed guess at how likely a leaf is right.

        A logistic of how much of the text it explains, how far it is from the next leaf, the weight of the
        words that it explains, and whether it leaves the head noun unexplained.
        """
        own = float(self.scores[leaf])
        if own <= 0:
            return 0.0
        other = float(max(self.scores[:leaf].max(initial=0.0), self.scores[leaf + 1 :].max(initial=0.0)))
        explained, gap = own / self.possible, (own - other) / max(own, other)
        signals = (explained, gap, log1p(own), 1.0 - self._head_explained(leaf))
        value = _BIAS + sum(weight * signal for weight, signal in zip(_SIGNAL_WEIGHTS, signals, strict=True))
        return 1.0 / (1.0 + exp(-value))

    def _head_explained(self, leaf: int) -> float:
        """The share of the head noun's worth that a leaf got, 1 for a text without a head."""
        for number, place in enumerate(self.places):
            if place.is_head:
                own = self.credit[(self.leaves == leaf) & (self.numbers == number)]
                return min(1.0, float(own.max(initial=0.0)) / max(float(self.worth[number]), 1e-9))
        return 1.0


class ColdStart:
    """The lexical ranking; build it once a taxonomy, it holds no state of a prediction."""

    def __init__(self, categories: Sequence[Category], frequencies: ProductFrequencies | None = None) -> None:
        self.leaves = leaves_of(categories)
        self.frequencies = frequencies or ProductFrequencies()
        phrases = phrases_of(categories, self.leaves)
        pairs = {pair for phrase in phrases for pair in pairwise(phrase.words)}
        glued = sorted(pair for pair in pairs if all(part.isalpha() and len(part) > 2 for part in pair))
        self.vocabulary = Vocabulary((word for phrase in phrases for word in phrase.words), glued)
        self._idf = self._weigh_terms(phrases)
        self._leaf_of = np.array([phrase.leaf for phrase in phrases], dtype=np.int64)
        self._weights = np.array([phrase.weight for phrase in phrases])
        self._long = np.array([len(phrase.words) > 1 for phrase in phrases])
        self._occurrences = self._index(phrases)
        self._pairs = self._index_pairs(phrases)

    def _weigh_terms(self, phrases: Sequence[Phrase]) -> Floats:
        leaves_with: dict[int, set[int]] = defaultdict(set)
        for phrase in phrases:
            if phrase.weight > ANCESTOR_WEIGHT:
                for word in phrase.words:
                    leaves_with[self.vocabulary.numbers[word]].add(phrase.leaf)
        found = np.array([max(1, len(leaves_with[term])) for term in range(len(self.vocabulary))])
        idf = np.log1p((len(self.leaves) - found + 0.5) / (found + 0.5))
        factors = [_factor(term) for term in self.vocabulary.terms]
        return np.asarray(idf * factors * self._commonness(), dtype=np.float64)

    def _commonness(self) -> Floats:
        """1 for terms that hardly any product has, one half for those that all have."""
        counts = self.frequencies.counts
        if not counts or self.frequencies.total < _FEWEST_PRODUCTS:
            return np.ones(len(self.vocabulary))
        found = np.array([counts.get(term, 0) for term in self.vocabulary.terms])
        rarity = np.log((1 + self.frequencies.total) / (1 + found)) / np.log(1 + self.frequencies.total)
        return np.asarray(0.5 + 0.5 * rarity, dtype=np.float64)

    def _index(self, phrases: Sequence[Phrase]) -> _Occurrences:
        postings: list[list[tuple[int, float]]] = [[] for _ in range(len(self.vocabulary))]
        for number, phrase in enumerate(phrases):
            terms = [self.vocabulary.numbers[word] for word in phrase.words]
            parts = [float(self._idf[term]) for term in terms]
            parts[-1] *= _PHRASE_HEAD_BONUS
            shares: dict[int, float] = defaultdict(float)
            for term, part in zip(terms, parts, strict=True):
                shares[term] += part / (sum(parts) or 1.0)
            for term, share in shares.items():
                postings[term].append((number, share))
        flat = [posting for term in postings for posting in term]
        starts = [0, *np.cumsum([len(term) for term in postings]).tolist()]
        return _Occurrences(
            starts,
            np.array([posting[0] for posting in flat], dtype=np.int64),
            np.array([posting[1] for posting in flat]),
        )

    def _index_pairs(self, phrases: Sequence[Phrase]) -> dict[tuple[int, int], tuple[Integers, Floats]]:
        """Neighbouring terms → the phrases that have them side by side, each with 1 / its number of pairs."""
        found: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
        for number, phrase in enumerate(phrases):
            terms = [self.vocabulary.numbers[word] for word in phrase.words]
            for pair in set(pairwise(terms)):
                found[pair].append((number, 1.0 / (len(terms) - 1)))
        return {
            pair: (np.array([number for number, _ in places]), np.array([share for _, share in places]))
            for pair, places in found.items()
        }

    def count(self, texts: Iterable[Text]) -> ProductFrequencies:
        """Count in how many of the titles each term of the taxonomy stands."""
        counts: dict[str, int] = defaultdict(int)
        total = 0
        for text in texts:
            total += 1
            folded = set(words(clean(text.name, NAME_LIMIT)))
            for term in {match.term for word in folded for match in self.vocabulary.find(word)}:
                counts[self.vocabulary.terms[term]] += 1
        return ProductFrequencies(total, dict(sorted(counts.items())))

    def read(self, text: Text) -> Reading:
        """Score all leaves for one text."""
        everywhere = places_of(text, self.vocabulary)
        if not everywhere:
            return self.unread()
        places = strongest(everywhere)
        starts = self._occurrences.starts
        slices = [slice(starts[place.term], starts[place.term + 1]) for place in places]
        phrases = np.concatenate([self._occurrences.phrases[part] for part in slices])
        shares = np.concatenate([self._occurrences.shares[part] for part in slices])
        numbers = np.repeat(np.arange(len(places)), [part.stop - part.start for part in slices])
        worth = np.array([self._idf[place.term] * place.weight for place in places])
        sureties = np.array([place.surety for place in places])
        credit = (worth * sureties)[numbers] * self._quality(neighbours(everywhere), phrases, shares)
        leaves = self._leaf_of[phrases]
        best, weights = _best_by_leaf(numbers, leaves, credit)
        scores = np.bincount(best, weights, minlength=len(self.leaves)).astype(np.float64)
        return Reading(scores, float(worth.sum()), places, worth, numbers, leaves, credit)

    def unread(self) -> Reading:
        """The reading of a text in which nothing is known."""
        return Reading(np.zeros(len(self.leaves)), 0.0)

    def probabilities(self, texts: Sequence[Text]) -> Floats:
        """Probabilities of shape (texts, leaves), a row of zeros for a text of which nothing is known."""
        return np.stack([self.read(text).probabilities() for text in texts])

    def _quality(self, pairs: Iterable[tuple[int, int]], phrases: Integers, shares: Floats) -> Floats:
        """How well each of the phrases is matched, given the shares of it that were found."""
        found, places = _renumber(phrases)
        cover = np.minimum(np.bincount(places, shares), 1.0)
        quality = self._weights[found] * cover * np.sqrt(cover)
        quality *= np.where(self._long[found], 0.85 + 0.4 * self._adjacent(pairs, found), 1.0)
        return np.asarray(quality[places], dtype=np.float64)

    def _adjacent(self, pairs: Iterable[tuple[int, int]], phrases: Integers) -> Floats:
        """The share of the neighbouring pairs of each phrase (in ascending order) that the text has, too."""
        held = [self._pairs[pair] for pair in pairs if pair in self._pairs]
        if not held:
            return np.zeros(len(phrases))
        numbers = np.concatenate([numbers for numbers, _ in held])
        shares = np.concatenate([shares for _, shares in held])
        places = np.searchsorted(phrases, numbers)
        return np.bincount(places, shares, minlength=len(phrases)).astype(np.float64)

    def explain(self, reading: Reading, leaf: int, most: int = 8) -> tuple[Evidence, ...]:
        """The words of a text that spoke for a leaf (its number in ``leaves``), strongest first."""
        found: dict[str, float] = {}
        own = np.flatnonzero(reading.leaves == leaf)
        for number, weight in zip(reading.numbers[own].tolist(), reading.credit[own].tolist(), strict=True):
            term = reading.places[number].raw
            found[term] = max(weight, found.get(term, 0.0))
        ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Evidence(term, round(weight, 4)) for term, weight in ranked[:most] if weight > 0)


def _factor(term: str) -> float:
    if is_measure(term) or len(term) == 1:
        return _MEASURE_FACTOR
    return _GENERIC_FACTOR if term in GENERIC_WORDS else 1.0


def _renumber(numbers: Integers) -> tuple[Integers, Integers]:
    """The different numbers in order, and for each number its place among them.

    What ``np.unique`` does, with the sort that is fast on a few ascending runs, as postings are.
    """
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    is_first = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    places = np.empty(len(numbers), dtype=np.int64)
    places[order] = np.cumsum(is_first) - 1
    return ordered[is_first], places


def _best_by_leaf(numbers: Integers, leaves: Integers, credit: Floats) -> tuple[Integers, Floats]:
    """The greatest credit that each term gives to each leaf; the postings of a term are ordered by leaf."""
    changes = (leaves[1:] != leaves[:-1]) | (numbers[1:] != numbers[:-1])
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    return leaves[starts], np.maximum.reduceat(credit, starts)
