"""Which categories need keywords or examples, most useful first.

A category needs help when products that no person has classified fall to it with little confidence. Its use is

    use(c) = (doubt(c) + blur(c)) / (1 + examples(c) / 5)

where doubt(c) is the sum of 1 - confidence over the doubtful products for which c is the first answer, plus half
of it where c is the second, and blur(c) (below 1, so that it decides only between equals and where there are no
products) is how little its own name tells it from the other categories.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import log

import numpy as np

from classification.engine.cold_start import COLD_THRESHOLD, ColdStart
from classification.engine.data import Category, Text
from classification.engine.readings import Readings
from classification.engine.text import GENERIC_WORDS, NAME_LIMIT, SHORT_LIMIT, clean, words

_BATCH = 256
_EXAMPLES_TO_HALVE = 5
_LEAST_USE = 0.1
_MOST_NAMED = 5
_FEWEST_WITH_TERM = 2
_SHORTEST_TERM = 3
_SECOND = 0.5
_MOST_AT_BEGINNING = 0.5


class Reason(StrEnum):
    """Why a category needs help."""

    NO_KEYWORDS = "no_keywords"
    CONFUSED = "confused"
    UNEXPLAINED_TERMS = "unexplained_terms"


@dataclass(frozen=True, slots=True)
class Advice:
    """A category to give keywords or examples to.

    ``products`` is how many doubtful products fall to it, ``confused_with`` the ids of the categories that
    compete for them and ``suggested_terms`` words of these products that no category has, both strongest first.
    """

    category_id: int
    reason: Reason
    products: int
    confused_with: tuple[int, ...]
    suggested_terms: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    """What the doubtful products of a leaf add up to."""

    doubt: float = 0.0
    products: int = 0
    rivals: Counter[int] = field(default_factory=Counter)
    terms: Counter[str] = field(default_factory=Counter)


def advise(
    categories: Sequence[Category], texts: Sequence[Text], examples_by_leaf: Mapping[int, int], most: int = 50
) -> list[Advice]:
    """At most ``most`` categories that need help, most useful first.

    ``texts`` are products that no person has classified, ``examples_by_leaf`` says how many examples a category
    (by its id) has.
    """
    plain = ColdStart(categories)
    if not plain.leaves:
        return []
    cold = ColdStart(categories, plain.count(texts)) if texts else plain
    frequencies = _frequencies(cold, texts)
    tallies = _tally(cold, texts, frequencies)
    ranked = []
    for number, blur in enumerate(_blurs(cold, tallies)):
        examples = examples_by_leaf.get(cold.leaves[number].id, 0)
        use = (tallies[number].doubt + blur) / (1 + examples / _EXAMPLES_TO_HALVE)
        if use >= _LEAST_USE:
            ranked.append((-use, number))
    return [_advice(cold, number, tallies[number], frequencies) for _, number in sorted(ranked)[:most]]


def _frequencies(cold: ColdStart, texts: Sequence[Text]) -> Counter[str]:
    """In how many titles each unexplained term stands; not of those that mostly begin them, as makers do."""
    frequencies: Counter[str] = Counter()
    beginnings: Counter[str] = Counter()
    for text in texts:
        terms = _unexplained(cold, text)
        frequencies.update(set(terms))
        beginnings.update(words(clean(text.name, NAME_LIMIT))[:1])
    return Counter(
        {term: count for term, count in frequencies.items() if beginnings[term] < _MOST_AT_BEGINNING * count}
    )


def _tally(cold: ColdStart, texts: Sequence[Text], frequencies: Counter[str]) -> dict[int, _Tally]:
    """The doubtful products leaf by leaf."""
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for start in range(0, len(texts), _BATCH):
        readings = cold.read(texts[start : start + _BATCH])
        for row, first, second, doubt in _doubtful(readings):
            terms = {term for term in _unexplained(cold, readings.texts[row]) if term in frequencies}
            _add(tallies[first], second, doubt, terms)
            if second is not None:
                _add(tallies[second], first, doubt * _SECOND, terms)
    return tallies


def _add(tally: _Tally, rival: int | None, doubt: float, terms: set[str]) -> None:
    tally.doubt += doubt
    tally.products += 1
    tally.terms.update(terms)
    if rival is not None:
        tally.rivals[rival] += 1


def _doubtful(readings: Readings) -> Iterator[tuple[int, int, int | None, float]]:
    """Row, best leaf, next leaf if it has a score, and 1 - confidence of the texts that are known but not certain."""
    confidences = readings.confidence()
    all_scores = readings.scores.toarray()
    rows = np.flatnonzero(readings.is_known() & (confidences < COLD_THRESHOLD))
    for row in rows.tolist():
        scores = all_scores[row]
        first, *others = np.argsort(-scores, kind="stable")[:2].tolist()
        second = others[0] if others and scores[others[0]] > 0 else None
        yield row, first, second, 1.0 - float(confidences[row])


def _unexplained(cold: ColdStart, text: Text) -> set[str]:
    """Words of a title that could name a kind of product and that no category has."""
    makers = set(words(clean(text.manufacturer, SHORT_LIMIT)))
    return {
        word
        for word in words(clean(text.name, NAME_LIMIT))
        if word.isalpha()
        and len(word) >= _SHORTEST_TERM
        and word not in makers
        and word not in GENERIC_WORDS
        and not cold.vocabulary.find(word)
    }


def _blurs(cold: ColdStart, tallies: dict[int, _Tally]) -> list[float]:
    """How little each leaf's name tells it from the others, 0 to 1; the nearest others become its rivals."""
    blurs: list[float] = []
    for start in range(0, len(cold.leaves), _BATCH):
        leaves = cold.leaves[start : start + _BATCH]
        probabilities = cold.read([Text(leaf.name) for leaf in leaves]).probabilities()
        for row, likely in enumerate(probabilities.toarray()):
            number = start + row
            blurs.append(min(1.0 - float(likely[number]), 0.99))
            likely[number] = 0.0
            if likely.max() > 0 and not tallies[number].rivals:
                tallies[number].rivals[int(likely.argmax())] += 1
    return blurs


def _advice(cold: ColdStart, number: int, tally: _Tally, frequencies: Counter[str]) -> Advice:
    leaf = cold.leaves[number]
    terms = _distinctive(tally, frequencies)
    rivals = sorted(tally.rivals.items(), key=lambda item: (-item[1], item[0]))[:_MOST_NAMED]
    if not leaf.keywords:
        reason = Reason.NO_KEYWORDS
    elif terms and tally.products:
        reason = Reason.UNEXPLAINED_TERMS
    else:
        reason = Reason.CONFUSED
    return Advice(leaf.id, reason, tally.products, tuple(cold.leaves[rival].id for rival, _ in rivals), terms)


def _distinctive(tally: _Tally, frequencies: Counter[str]) -> tuple[str, ...]:
    """Terms by how many of the leaf's products have them times the logarithm of how special they are to it."""
    weighed = [
        (count * log(1 + sum(frequencies.values()) / frequencies[term]) * count / frequencies[term], term)
        for term, count in tally.terms.items()
        if count >= _FEWEST_WITH_TERM
    ]
    return tuple(term for _, term in sorted(weighed, key=lambda item: (-item[0], item[1]))[:_MOST_NAMED])
