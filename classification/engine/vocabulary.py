"""The words of a taxonomy, found again in product texts although they are mistyped, glued or bent."""

from collections.abc import Iterable
from typing import NamedTuple

from classification.engine.glossary import translations
from classification.engine.languages import compounds, stem, without_written_umlauts
from classification.engine.text import GENERIC_WORDS, is_measure, root

_SHORTEST_MISTYPED = 5
_MISTYPED_WEIGHT = 0.75
# One letter makes another word of a short one: beach and bleach, hummer and hammer.
_SHORT, _SHORT_MISTYPED_WEIGHT = 6, 0.5
_ROOT_WEIGHT = 0.7
_SERIES_WEIGHT = 0.7
_INFLECTED_WEIGHT = 0.85
_TRANSLATED_WEIGHT, _AMBIGUOUS_WEIGHT = 0.85, 0.6
_PART_WEIGHT, _HEAD_ALONE_WEIGHT = 0.8, 0.6
_SHORTEST_PART, _SHORTEST_HEAD = 4, 5
_CACHE_SIZE = 50_000
_SHORTEST_SERIES, _LONGEST_SERIES = 3, 10


class Match(NamedTuple):
    """A term of the vocabulary and how surely it is meant (1 for the very word)."""

    term: int
    weight: float


class Vocabulary:
    """Terms numbered in order of their first appearance, with look-ups that forgive.

    Mistyped words are found by the symmetric delete method (W. Garbe, SymSpell, 2012) at distance one: two
    words are near when deleting at most one letter from each gives the same string.
    """

    def __init__(self, terms: Iterable[str], glued: Iterable[tuple[str, str]]) -> None:
        self.terms: list[str] = list(dict.fromkeys(terms))
        self.numbers: dict[str, int] = {term: number for number, term in enumerate(self.terms)}
        self._glued = {first + second: (first, second) for first, second in glued}
        self._roots: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._shortened: dict[str, int] = {}
        self._cache: dict[str, tuple[Match, ...]] = {}
        for number, term in enumerate(self.terms):
            self._add_variants(number, term)

    def __len__(self) -> int:
        return len(self.terms)

    def _add_variants(self, number: int, term: str) -> None:
        if not term.isalpha() or len(term) < 4 or term in GENERIC_WORDS:
            return
        self._roots.setdefault(root(term), number)
        if len(term) >= _SHORTEST_MISTYPED:
            self._stems.setdefault(stem(term), number)
        if len(term) >= _SHORTEST_MISTYPED:
            for shortened in _deletions(term):
                self._shortened.setdefault(shortened, number)

    def find(self, word: str) -> tuple[Match, ...]:
        """The terms meant by a folded word: itself, its parts, its root, or the word it is mistyped from."""
        number = self.numbers.get(word)
        if number is not None:
            return (Match(number, 1.0),)
        matches = self._cache.get(word)
        if matches is None:
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            matches = self._cache[word] = self._search(word)
        return matches

    def _search(self, word: str) -> tuple[Match, ...]:
        if word.endswith("+"):
            return self.find(word[:-1])
        if not word.isalpha():
            return self._series(word)
        translated = self._translated(word)
        if translated or len(word) < 4 or len(word) > 40:
            return translated
        parts = self._glued.get(word)
        if parts:
            return tuple(Match(self.numbers[part], 0.95) for part in parts)
        if root(word) in self._roots:
            return (Match(self._roots[root(word)], _ROOT_WEIGHT),)
        number = self._inflected(without_written_umlauts(word))
        if number is not None:
            return (Match(number, _INFLECTED_WEIGHT),)
        return self._mistyped(word) or self._compound(word)

    def _translated(self, word: str) -> tuple[Match, ...]:
        """The words of every translation that the vocabulary has as a whole."""
        found = [one for one in translations(word) if all(part in self.numbers for part in one)]
        weight = _TRANSLATED_WEIGHT if len(found) == 1 else _AMBIGUOUS_WEIGHT
        parts = dict.fromkeys(part for one in found for part in one)
        return tuple(Match(self.numbers[part], weight) for part in parts)

    def _inflected(self, word: str) -> int | None:
        """The term that a word is, or is another form of."""
        number = self.numbers.get(word)
        return self._stems.get(stem(word)) if number is None else number

    def _part(self, word: str) -> int | None:
        """The term that a part of a compound is, is another form of, or is translated by."""
        number = self._inflected(word)
        if number is None and len(word) >= _SHORTEST_PART:
            return next((match.term for match in self._translated(word)), None)
        return number

    def _series(self, word: str) -> tuple[Match, ...]:
        """A part number belongs to the series that it begins with: DHP484Z to DHP, STM32F413ZG to STM32F4."""
        for end in range(min(len(word) - 1, _LONGEST_SERIES), _SHORTEST_SERIES - 1, -1):
            series = word[:end]
            ends_well = word[end].isdigit() if series.isalpha() else series[0].isalpha()
            if ends_well and series in self.numbers and not is_measure(series):
                return (Match(self.numbers[series], _SERIES_WEIGHT),)
        return ()

    def _mistyped(self, word: str) -> tuple[Match, ...]:
        if len(word) < _SHORTEST_MISTYPED:
            return ()
        for shortened in _deletions(word):
            number = self._shortened.get(shortened)
            if number is not None and self.terms[number][0] == word[0]:
                weight = _SHORT_MISTYPED_WEIGHT if len(word) <= _SHORT else _MISTYPED_WEIGHT
                return (Match(number, weight),)
        return ()

    def _compound(self, word: str) -> tuple[Match, ...]:
        """Both parts of a compound, or else its second one, which names the kind of thing."""
        head: tuple[Match, ...] = ()
        for forms, last in compounds(word):
            second = self._part(last)
            if second is None or len(last) < _SHORTEST_PART:
                continue
            firsts = (self._part(form) for form in forms)
            first = next((number for number in firsts if number is not None), None)
            if first is not None:
                return Match(first, _PART_WEIGHT), Match(second, _PART_WEIGHT)
            if not head and len(last) >= _SHORTEST_HEAD:
                head = (Match(second, _HEAD_ALONE_WEIGHT),)
        return head


def _deletions(word: str) -> list[str]:
    return [word, *(word[:place] + word[place + 1 :] for place in range(len(word)))]
