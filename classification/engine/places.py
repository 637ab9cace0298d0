"""A product text as places: which terms of a taxonomy stand where in it, and how much they count there."""

from typing import NamedTuple

from classification.engine.data import Text
from classification.engine.text import (
    DESCRIPTION_LIMIT,
    NAME_LIMIT,
    SHORT_LIMIT,
    Token,
    Zone,
    attributes_text,
    clean,
    title_tokens,
    words,
)
from classification.engine.vocabulary import Vocabulary

_ZONE_WEIGHTS = {
    Zone.MAIN: 1.0,
    Zone.AFTER_SIZE: 0.85,
    Zone.AFTER_BREAK: 0.6,
    Zone.BRACKETS: 0.4,
    Zone.AFTER_TURN: 0.4,
}
_HEAD_BONUS = 1.6
_REMARK_WEIGHT = 0.12
_FRAGMENT_SURETY = 0.5
_SHORTEST_UNKNOWN = 3


class Place(NamedTuple):
    """A term of the vocabulary in a text.

    ``surety`` is below 1 when the term is only thought to be meant; the head is the noun that names the kind of
    product.
    """

    term: int
    raw: str
    weight: float
    position: int
    surety: float = 1.0
    is_title: bool = True
    is_head: bool = False


class Places(NamedTuple):
    """The places of a text, and how many words of content after the first of its title are in no category."""

    found: list[Place]
    unknown: int


def places_of(text: Text, vocabulary: Vocabulary) -> Places:
    """The places of the title, then those of terms that only the description or the attributes have."""
    manufacturer = clean(text.manufacturer, SHORT_LIMIT)
    makers = set(words(manufacturer))
    places, unknown = _title_places(text.name, makers, vocabulary)
    found = _mark_head(places)
    known = {place.term for place in found}
    for cleaned in (
        manufacturer,
        clean(text.description, DESCRIPTION_LIMIT),
        attributes_text(text.attributes),
    ):
        if cleaned:
            start = found[-1].position + 2 if found else 0
            found += _remarks(cleaned, start, known, vocabulary)
    return Places(found, unknown)


def _title_places(
    name: str, makers: set[str], vocabulary: Vocabulary
) -> tuple[list[tuple[Place, Token]], int]:
    """Places of the title's words, and how many are unknown; the maker's name at the beginning is not read."""
    places: list[tuple[Place, Token]] = []
    previous, position, unknown = "", 0, 0
    for token in title_tokens(clean(name, NAME_LIMIT)):
        raw, folded = token.word.raw, token.word.folded
        position += 1
        if not places and folded in makers:
            continue
        weight = _ZONE_WEIGHTS[token.zone]
        surety = _FRAGMENT_SURETY if token.is_fragment else 1.0
        joined = vocabulary.numbers.get(previous + folded) if previous else None
        if joined is not None:
            places.append((Place(joined, f"{previous} {raw}", weight, position + 1), token))
        matches = vocabulary.find(folded)
        for step, match in enumerate(matches):
            places.append((Place(match.term, raw, weight, position + step, match.weight * surety), token))
        if not matches and joined is None and position > 1:
            unknown += token.word.is_content and len(raw) >= _SHORTEST_UNKNOWN
        position += max(0, len(matches) - 1)
        previous = folded if raw.isalpha() else ""
    return places, unknown


def _mark_head(places: list[tuple[Place, Token]]) -> list[Place]:
    """Give the head its bonus: the last word of content before the first size, or before the first break."""
    found = [place for place, _ in places]
    for zone in (Zone.MAIN, Zone.AFTER_SIZE):
        for number in range(len(places) - 1, -1, -1):
            place, token = places[number]
            if token.zone == zone and token.word.is_head:
                found[number] = place._replace(weight=place.weight * _HEAD_BONUS, is_head=True)
                return found
    return found


def _remarks(cleaned: str, start: int, known: set[int], vocabulary: Vocabulary) -> list[Place]:
    """Places of the terms that are not yet known, which become so."""
    found = []
    for position, word in enumerate(words(cleaned), start=start):
        for match in vocabulary.find(word):
            if match.term not in known:
                known.add(match.term)
                found.append(Place(match.term, word, _REMARK_WEIGHT, position, match.weight, is_title=False))
    return found


def strongest(places: list[Place]) -> list[Place]:
    """One place a term, the one with the greatest weight, in the order of the text."""
    best: dict[int, Place] = {}
    for place in places:
        held = best.get(place.term)
        if held is None or place.weight * place.surety > held.weight * held.surety:
            best[place.term] = place
    if len(best) == len(places):
        return places
    return sorted(best.values(), key=lambda place: place.position)


def neighbours(places: list[Place]) -> set[tuple[int, int]]:
    """Pairs of terms that stand side by side, in their order."""
    at: dict[int, list[int]] = {}
    for place in places:
        at.setdefault(place.position, []).append(place.term)
    return {
        (one, two)
        for position in at
        if position + 1 in at
        for one in at[position]
        for two in at[position + 1]
    }
