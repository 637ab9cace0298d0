"""Ranking categories without any example: how much of a product's text do a category's phrases explain?

For a product text with words w and a leaf c with phrases p (its name, its keywords, the names above it)

    score(c) = sum over w of  place(w) * idf(w) * surety(w) * (named(w, c) + .2 * saturation(w, c)) / 1.2
    named(w, c) = max over p containing w of  weight(p) * quality(p)
    quality(p) = cover(p) ** 1.5 * (1                                 if p is one word
                                    .85 + .4 * adjacent(p)            otherwise)

where cover(p) is the share of the phrase found in the text (its words weighted by idf, the last one, the head
noun, more), adjacent(p) the share of its neighbouring pairs found side by side and in order, place(w) says where
in the text the word stands, and surety(w) is below 1 for a word that is only taken for that of the phrase. Each
word of the text counts once for a category, in the phrase that it matches best, so a category with many keywords has
no advantage. Among categories that are named equally well, saturation(w, c) prefers those that are about little else:
it is the weight of w in BM25F over all phrases of c (S. Robertson, H. Zaragoza and M. Taylor, "Simple BM25 extension
to multiple weighted fields", 2004),

    saturation(w, c) = 2.2 tf / (tf + 1.2 (.25 + .75 length(c) / mean length))

where tf is the sum of weight(p) over the places of w in phrases, and length(c) the sum of tf over all words. idf is
that of Robertson and Spärck Jones over leaves, idf(w) = ln(1 + (N - df + .5) / (df + .5)), halved for words that stand
in every product.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from classification.engine.data import Evidence, Text
from classification.engine.phrase_index import Floats, Integers, PhraseIndex
from classification.engine.phrases import ANCESTOR_WEIGHT, Phrase
from classification.engine.places import neighbours, places_of, strongest
from classification.engine.readings import SIGNALS, Explainer, LeafValues, Readings
from classification.engine.text import GENERIC_WORDS, NAME_LIMIT, clean, is_measure, words
from classification.engine.vocabulary import Vocabulary

_GENERIC_FACTOR = 0.35
_MEASURE_FACTOR = 0.25
_FEWEST_PRODUCTS = 200
_MOST_CELLS = 400_000
_SATURATION_WEIGHT = 0.2
_MOST_EVIDENCE = 8


@dataclass(frozen=True, slots=True)
class ProductFrequencies:
    """In how many of ``total`` product titles a term of the taxonomy stands."""

    total: int = 0
    counts: Mapping[str, int] | None = None


class _Found(NamedTuple):
    """The terms of a batch of texts, text by text, and their pairs of neighbours as keys."""

    rows: Integers
    terms: Integers
    weights: Floats
    sureties: Floats
    pair_rows: Integers
    pair_keys: Integers
    unknown: Floats
    # How each term is written.
    raws: list[str]


class _Credit(NamedTuple):
    """What each term of a batch gives to each leaf: its place in the batch, the leaf, the credit."""

    places: Integers
    leaves: Integers
    values: Floats


class _Scores(NamedTuple):
    """Scores above zero, text by text and leaf by leaf, and the best leaf of each text (see ``Readings``)."""

    rows: Integers
    leaves: Integers
    values: Floats
    best: Integers
    first: Floats
    second: Floats

    @classmethod
    def of(cls, cells: Integers, values: Floats, texts: int, size: int) -> "_Scores":
        """Add up values by cell, which is the number of the text times ``size`` and the number of the leaf."""
        cells, places = np.unique(cells, return_inverse=True)
        sums = np.asarray(np.bincount(places, values, minlength=len(cells)), dtype=np.float64)
        rows, leaves = np.divmod(cells[sums > 0], size)
        sums = sums[sums > 0]
        lengths = np.bincount(rows, minlength=texts)
        has_any = np.flatnonzero(lengths)
        starts = (np.cumsum(lengths) - lengths)[has_any]
        best, first, second = np.zeros(texts, dtype=np.int64), np.zeros(texts), np.zeros(texts)
        if len(starts):
            first[has_any] = np.maximum.reduceat(sums, starts)
            ties = np.flatnonzero(sums == first[rows])
            firsts = ties[np.unique(rows[ties], return_index=True)[1]]
            best[has_any] = leaves[firsts]
            others = sums.copy()
            others[firsts] = 0.0
            second[has_any] = np.maximum.reduceat(others, starts)
        return cls(rows, leaves, sums, best, first, second)


class _Part(NamedTuple):
    """Scores and signals of a few texts, and the words that spoke for a leaf in any of them."""

    scores: _Scores
    signals: Floats
    explainer: Explainer


class Ranking:
    """Leaves by number, each with phrases that name it; it holds no state of a prediction."""

    def __init__(self, phrases: Sequence[Phrase], size: int, frequencies: ProductFrequencies) -> None:
        self.size = size
        self.frequencies = frequencies
        pairs = {pair for phrase in phrases for pair in pairwise(phrase.words)}
        glued = sorted(pair for pair in pairs if all(part.isalpha() and len(part) > 2 for part in pair))
        self.vocabulary = Vocabulary((word for phrase in phrases for word in phrase.words), glued)
        self._idf = self._weigh_terms(phrases)
        self._index = PhraseIndex(phrases, self.vocabulary, self._idf, size)

    def _weigh_terms(self, phrases: Sequence[Phrase]) -> Floats:
        numbers = self.vocabulary.numbers
        own = {
            (numbers[word], phrase.leaf)
            for phrase in phrases
            if phrase.weight > ANCESTOR_WEIGHT
            for word in phrase.words
        }
        leaves_with = Counter(term for term, _ in own)
        found = np.array([max(1, leaves_with[term]) for term in range(len(numbers))], dtype=np.float64)
        idf = _idf_of(found, self.size)
        factors = np.array([_factor(term) for term in self.vocabulary.terms])
        return np.asarray(idf * factors * self._commonness(), dtype=np.float64)

    def _commonness(self) -> Floats:
        """1 for terms that at most a tenth of the products have, falling to one half for those that all have."""
        counts = self.frequencies.counts
        if not counts or self.frequencies.total < _FEWEST_PRODUCTS:
            return np.ones(len(self.vocabulary))
        found = np.array([counts.get(term, 0) for term in self.vocabulary.terms])
        rarity = -np.log10(np.clip(found / self.frequencies.total, 0.1, 1.0))
        return np.asarray(0.5 + 0.5 * rarity, dtype=np.float64)

    def count(self, texts: Iterable[Text]) -> ProductFrequencies:
        """Count in how many of the titles each term of the taxonomy stands."""
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            total += 1
            folded = set(words(clean(text.name, NAME_LIMIT)))
            terms = {match.term for word in folded for match in self.vocabulary.find(word)}
            counts.update(self.vocabulary.terms[term] for term in terms)
        return ProductFrequencies(total, dict(sorted(counts.items())))

    def read(self, texts: Sequence[Text]) -> Readings:
        """Score all leaves for each text."""
        rows = min(len(texts), max(1, _MOST_CELLS // max(self._index.size, 1)))
        scratch = np.zeros(rows * self._index.size)
        parts = [
            self._read_some(texts[start : start + rows], scratch)
            for start in range(0, len(texts), max(1, rows))
        ]
        if not parts:
            return self.unread(texts)
        own_rows = [part.scores.rows + number * rows for number, part in enumerate(parts)]
        _, leaves, values, best, first, _ = map(
            np.concatenate, zip(*[part.scores for part in parts], strict=True)
        )
        scores = LeafValues(np.concatenate(own_rows), leaves, values, (len(texts), self.size))
        signals = np.concatenate([part.signals for part in parts])
        readings = Readings(texts, scores, best, first, signals, self.explainer)
        if len(texts) == 1:
            # Somebody waits for it, and for its reasons.
            readings.explainers[0] = parts[0].explainer
        return readings

    def unread(self, texts: Sequence[Text]) -> Readings:
        """Readings of texts of which the cold start shall not say anything."""
        count = len(texts)
        nowhere = np.zeros(0, dtype=np.int64)
        nothing = LeafValues(nowhere, nowhere, np.zeros(0), (count, self.size))
        best, signals = np.zeros(count, dtype=np.int64), np.zeros((count, SIGNALS))
        return Readings(texts, nothing, best, np.zeros(count), signals, self.explainer)

    def _read_some(self, texts: Sequence[Text], scratch: Floats) -> _Part:
        """What is read of a few texts."""
        found = self._find(texts)
        worth = self._idf[found.terms] * found.weights
        credit = self._credit(found, worth, scratch)
        cells = found.rows[credit.places] * self.size + credit.leaves
        scores = _Scores.of(cells, credit.values, len(texts), self.size)
        explainer = partial(_evidence, found.raws, credit)
        return _Part(scores, _signals(found, worth, scores, self.size), explainer)

    def _find(self, texts: Sequence[Text]) -> _Found:
        size = len(self.vocabulary)
        held: list[tuple[int, int, float, float]] = []
        pairs: list[tuple[int, int]] = []
        raws: list[str] = []
        unknown = np.zeros(len(texts))
        for row, text in enumerate(texts):
            everywhere, unknown[row] = places_of(text, self.vocabulary)
            for term, raw, weight, _, surety in strongest(everywhere):
                held.append((row, term, weight, surety))
                raws.append(raw)
            for first, second in neighbours(everywhere):
                pairs.append((row, first * size + second))
        columns = np.array(held, dtype=np.float64).reshape(-1, 4).T
        keys = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return _Found(
            rows=columns[0].astype(np.int64),
            terms=columns[1].astype(np.int64),
            weights=columns[2],
            sureties=columns[3],
            pair_rows=keys[0],
            pair_keys=keys[1],
            unknown=unknown,
            raws=raws,
        )

    def _credit(self, found: _Found, worth: Floats, scratch: Floats) -> _Credit:
        """The greatest credit that each term gives to each leaf.

        ``scratch`` has a zero for each pair of text and phrase, and has so again afterwards: to clear what was
        used costs less than new memory.
        """
        index = self._index
        used = self._match(found, scratch)
        entries, places = index.namings.select(found.terms)
        cells = found.rows[places] * index.size + index.namings.numbers[entries]
        values = scratch[cells] * index.namings.values[entries] * (worth * found.sureties)[places]
        scratch[used] = 0.0
        starts = np.flatnonzero(index.is_new_leaf[entries])
        best = np.maximum.reduceat(values, starts) if len(starts) else np.zeros(0)
        spoken = index.saturation[entries[starts]] * (worth * found.sureties)[places[starts]]
        best = (best + _SATURATION_WEIGHT * spoken) / (1 + _SATURATION_WEIGHT)
        return _Credit(places[starts], index.naming_leaves[entries[starts]], best)

    def _match(self, found: _Found, scratch: Floats) -> Integers:
        """Write into the scratch how well each phrase is matched in each text; the cells that were written."""
        index = self._index
        entries, places = index.shares.select(found.terms)
        phrases = index.shares.numbers[entries]
        cells = found.rows[places] * index.size + phrases
        np.add.at(scratch, cells, index.shares.values[entries])
        cover = np.minimum(scratch[cells], 1.0)
        scratch[cells] = index.base[phrases] * cover * np.sqrt(cover)
        numbers = index.pair_numbers(found.pair_keys)
        known = np.flatnonzero(numbers >= 0)
        pairs, owners = index.pairs.select(numbers[known])
        adjacent = found.pair_rows[known][owners] * index.size + index.pairs.numbers[pairs]
        adjacent, owners = np.unique(adjacent, return_inverse=True)
        scratch[adjacent] *= 1.0 + np.bincount(owners, index.pairs.values[pairs], minlength=len(adjacent))
        return cells

    def explainer(self, text: Text) -> Explainer:
        """What tells of a leaf (its number in ``leaves``) which words of a text spoke for it, strongest first."""
        found = self._find([text])
        worth = self._idf[found.terms] * found.weights
        return partial(_evidence, found.raws, self._credit(found, worth, np.zeros(self._index.size)))

    def explain(self, text: Text, leaf: int) -> tuple[Evidence, ...]:
        """The words of a text that spoke for a leaf (its number in ``leaves``), strongest first."""
        return self.explainer(text)(leaf)


def _evidence(raws: Sequence[str], credit: _Credit, leaf: int) -> tuple[Evidence, ...]:
    spoken: dict[str, float] = {}
    own = credit.leaves == leaf
    for place, value in zip(credit.places[own].tolist(), credit.values[own].tolist(), strict=True):
        spoken[raws[place]] = max(value, spoken.get(raws[place], 0.0))
    ranked = sorted(spoken.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Evidence(term, round(weight, 4)) for term, weight in ranked[:_MOST_EVIDENCE] if weight > 0)


def _idf_of(found: Floats | float, leaves: int) -> Floats:
    """The idf of terms that so many of the leaves have."""
    return np.log1p((leaves - np.asarray(found) + 0.5) / (np.asarray(found) + 0.5))


def _factor(term: str) -> float:
    if is_measure(term) or len(term) == 1:
        return _MEASURE_FACTOR
    return _GENERIC_FACTOR if term in GENERIC_WORDS else 1.0


def _signals(found: _Found, worth: Floats, scores: _Scores, leaves: int) -> Floats:
    """The signals of how sure the best leaf of each text is, of shape (texts, SIGNALS); see ``Readings``."""
    first, second = scores.first, scores.second
    possible = np.bincount(found.rows, worth, minlength=len(first))
    signals = (
        first / np.where(possible > 0, possible, 1.0),
        (first - second) / np.where(first > 0, first, 1.0),
        np.log1p(first / _idf_of(1.0, leaves)),
        np.log1p(found.unknown),
    )
    return np.stack(signals, axis=1)
