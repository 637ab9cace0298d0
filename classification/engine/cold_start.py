"""Ranking categories without any example: how much of a product's text do a category's phrases explain?

For a product text with words w and a leaf c with phrases p (its name, its keywords, the names above it)

    score(c) = sum over w of  place(w) * idf(w) * max over p containing w of  weight(p) * quality(p)
    quality(p) = cover(p) ** 1.5 * (1                                 if p is one word
                                    .85 + .4 * adjacent(p)            otherwise)

where cover(p) is the share of the phrase found in the text (its words weighted by idf, the last one, the head
noun, more), adjacent(p) the share of its neighbouring pairs found side by side and in order, and place(w)
says where in the text the word stands. Each word of the text counts once for a category, however many
keywords repeat it, so a category with many keywords has no advantage. idf is that of Robertson and Spärck
Jones over leaves, idf(w) = ln(1 + (N - df + .5) / (df + .5)), halved for words that stand in every product.
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
from classification.engine.text import (
    DESCRIPTION_LIMIT,
    GENERIC_WORDS,
    NAME_LIMIT,
    Zone,
    attributes_text,
    clean,
    is_measure,
    title_tokens,
    words,
)
from classification.engine.vocabulary import Vocabulary

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ZONE_WEIGHTS = {
    Zone.MAIN: 1.0,
    Zone.AFTER_SIZE: 0.85,
    Zone.AFTER_BREAK: 0.6,
    Zone.BRACKETS: 0.4,
    Zone.AFTER_TURN: 0.4,
}
_HEAD_BONUS = 1.6
_PHRASE_HEAD_BONUS = 1.5
_DESCRIPTION_WEIGHT = 0.12
_ATTRIBUTES_WEIGHT = 0.12
_GENERIC_FACTOR = 0.35
_MEASURE_FACTOR = 0.25
_FEWEST_PRODUCTS = 200
_LEAST_SCORE = 0.2
_SHARPNESS = 8.0
_BIAS, _EXPLAINED, _GAP, _WEIGHT = -5.0, 2.0, 3.0, 1.5
COLD_THRESHOLD = 0.9


@dataclass(frozen=True, slots=True)
class ProductFrequencies:
    """In how many of ``total`` product titles a term of the taxonomy stands."""

    total: int = 0
    counts: Mapping[str, int] | None = None


class _Place(NamedTuple):
    term: int
    raw: str
    weight: float
    position: int


class _Occurrences(NamedTuple):
    """Postings of all terms one after the other; those of a term lie between its two starts."""

    starts: list[int]
    phrases: Integers
    shares: Floats


class Reading(NamedTuple):
    """What the cold start sees in a text.

    The scores of all leaves, the score that a perfect match would have, the places of the text's terms, and
    the credit that they give to leaves: place number, leaf and weight of each pair of a term and a phrase.
    """

    scores: Floats
    possible: float
    places: Sequence[_Place] = ()
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
        powers = np.where(self.scores > 0, np.exp(_SHARPNESS * (self.scores / best - 1.0)), 0.0)
        return np.asarray(powers / powers.sum(), dtype=np.float64)

    def confidence(self, leaf: int) -> float:
        """A fixed guess at how likely a leaf is right.

        A logistic of how much of the text it explains, how far it is from the next leaf, and the weight of
        the words that it explains.
        """
        own = float(self.scores[leaf])
        if own <= 0:
            return 0.0
        other = max(
            float(self.scores[:leaf].max(initial=0.0)), float(self.scores[leaf + 1 :].max(initial=0.0))
        )
        explained, gap, weight = own / self.possible, (own - other) / max(own, other), log1p(own)
        return 1.0 / (1.0 + exp(-(_BIAS + _EXPLAINED * explained + _GAP * gap + _WEIGHT * weight)))


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

    # What stands in a text

    def _places(self, text: Text) -> list[_Place]:
        makers = set(words(clean(text.manufacturer, NAME_LIMIT)))
        title = self._title_places(text.name, makers)
        known = {place.term for place in title}
        after = len(title) + NAME_LIMIT
        extra = self._extra_places(
            clean(text.description, DESCRIPTION_LIMIT), _DESCRIPTION_WEIGHT, after, known
        )
        after += len(extra) + DESCRIPTION_LIMIT
        return (
            title
            + extra
            + self._extra_places(attributes_text(text.attributes), _ATTRIBUTES_WEIGHT, after, known)
        )

    def _title_places(self, name: str, makers: set[str]) -> list[_Place]:
        places: list[_Place] = []
        head, previous, position = -1, "", 0
        for token in title_tokens(clean(name, NAME_LIMIT)):
            position += 1
            if token.folded in makers and not places:
                continue
            glued = self.vocabulary.numbers.get(previous + token.folded) if previous else None
            matches = self.vocabulary.find(token.folded)
            if glued is not None:
                places.append(
                    _Place(glued, f"{previous} {token.raw}", _ZONE_WEIGHTS[token.zone], position + 1)
                )
            for step, match in enumerate(matches):
                weight = match.weight * _ZONE_WEIGHTS[token.zone]
                places.append(_Place(match.term, token.raw, weight, position + step))
            position += max(0, len(matches) - 1)
            previous = token.folded if token.raw.isalpha() else ""
            if (
                token.zone <= Zone.AFTER_SIZE
                and (matches or glued is not None)
                and _can_be_head(token.folded)
            ):
                head = len(places) - 1 if token.zone == Zone.MAIN or head < 0 else head
        if head >= 0:
            places[head] = places[head]._replace(weight=places[head].weight * _HEAD_BONUS)
        return places

    def _extra_places(self, cleaned: str, weight: float, after: int, known: set[int]) -> list[_Place]:
        places = []
        for position, word in enumerate(words(cleaned), start=after):
            for match in self.vocabulary.find(word):
                if match.term not in known:
                    known.add(match.term)
                    places.append(_Place(match.term, word, weight * match.weight, position))
        return places

    # Scores

    def read(self, text: Text) -> Reading:
        """Score all leaves for one text."""
        everywhere = self._places(text)
        if not everywhere:
            return Reading(np.zeros(len(self.leaves)), 0.0)
        places = _strongest(everywhere)
        starts = self._occurrences.starts
        slices = [slice(starts[place.term], starts[place.term + 1]) for place in places]
        phrases = np.concatenate([self._occurrences.phrases[part] for part in slices])
        shares = np.concatenate([self._occurrences.shares[part] for part in slices])
        numbers = np.repeat(np.arange(len(places)), [part.stop - part.start for part in slices])
        worth = np.array([self._idf[place.term] * place.weight for place in places])
        credit = worth[numbers] * self._quality(_neighbours(everywhere), phrases, shares)
        leaves = self._leaf_of[phrases]
        best, weights = _best_by_leaf(numbers, leaves, credit)
        scores = np.bincount(best, weights, minlength=len(self.leaves)).astype(np.float64)
        return Reading(scores, float(worth.sum()), places, numbers, leaves, credit)

    def _quality(self, pairs: Iterable[tuple[int, int]], phrases: Integers, shares: Floats) -> Floats:
        """How well each of the phrases is matched, given the shares of it that were found."""
        cover = np.minimum(np.bincount(phrases, shares), 1.0)[phrases]
        adjacent = np.zeros(len(self._weights))
        for pair in pairs:
            if pair in self._pairs:
                numbers, parts = self._pairs[pair]
                adjacent[numbers] += parts
        bonus = np.where(self._long[phrases], 0.85 + 0.4 * adjacent[phrases], 1.0)
        return np.asarray(self._weights[phrases] * bonus * cover * np.sqrt(cover), dtype=np.float64)

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
    if is_measure(term):
        return _MEASURE_FACTOR
    return _GENERIC_FACTOR if term in GENERIC_WORDS else 1.0


def _can_be_head(word: str) -> bool:
    return word not in GENERIC_WORDS and not is_measure(word)


def _strongest(places: Sequence[_Place]) -> list[_Place]:
    """One place a term, the one with the greatest weight, in the order of the text."""
    best: dict[int, _Place] = {}
    for place in places:
        if place.term not in best or place.weight > best[place.term].weight:
            best[place.term] = place
    return sorted(best.values(), key=lambda place: place.position)


def _neighbours(places: Sequence[_Place]) -> set[tuple[int, int]]:
    at: dict[int, list[int]] = defaultdict(list)
    for place in places:
        at[place.position].append(place.term)
    return {(one, two) for position in at for one in at[position] for two in at.get(position + 1, ())}


def _best_by_leaf(numbers: Integers, leaves: Integers, credit: Floats) -> tuple[Integers, Floats]:
    """The greatest credit that each term gives to each leaf; the postings of a term are ordered by leaf."""
    changes = (leaves[1:] != leaves[:-1]) | (numbers[1:] != numbers[:-1])
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    return leaves[starts], np.maximum.reduceat(credit, starts)
