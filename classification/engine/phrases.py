"""Categories as phrases: names, keywords and the names of the categories above them."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from classification.engine.data import Category
from classification.engine.text import NAME_LIMIT, clean, words

PATH_SEPARATOR = " > "
NAME_WEIGHT = 1.0
KEYWORD_WEIGHT = 1.0
# In "Nut & bolt drivers" the nut alone may be the thing or only say which driver.
MODIFIER_WEIGHT = 0.6
ANCESTOR_WEIGHT = 0.3
_ALTERNATIVES = re.compile(r"\s*(?:,|&|/|\band\b|\bor\b)\s*")
_BRACKETS = re.compile(r"[()\[\]]")


class Phrase(NamedTuple):
    """Folded words that name a category, and how much they name it."""

    leaf: int
    words: tuple[str, ...]
    weight: float


def leaves_of(categories: Sequence[Category]) -> list[Category]:
    """The categories that can be answers, ordered by code, so that the caller's order does not matter."""
    return sorted(
        (category for category in categories if category.is_leaf), key=lambda leaf: (leaf.code, leaf.id)
    )


def phrases_of(
    categories: Sequence[Category],
    leaves: Sequence[Category],
    borrowed: Mapping[int, Sequence[tuple[str, float]]],
) -> list[Phrase]:
    """All phrases of the leaves, leaf by leaf; a phrase that a leaf has twice keeps its greater weight.

    ``borrowed`` has further texts and their weights by the number of the leaf.
    """
    by_path = {category.path: category for category in categories if not category.is_leaf}
    folded: dict[str, tuple[str, ...]] = {}
    above: dict[str, list[tuple[str, float]]] = {}
    phrases: list[Phrase] = []
    for number, leaf in enumerate(leaves):
        parent = leaf.path.rpartition(PATH_SEPARATOR)[0]
        if parent not in above:
            above[parent] = _texts_above(parent, by_path)
        weights: dict[tuple[str, ...], float] = {}
        for text, weight in [*_own_texts(leaf), *above[parent], *borrowed.get(number, ())]:
            if text not in folded:
                folded[text] = tuple(words(clean(text, NAME_LIMIT)))
            if folded[text]:
                weights[folded[text]] = max(weight, weights.get(folded[text], 0.0))
        phrases.extend(Phrase(number, phrase, weight) for phrase, weight in weights.items())
    return phrases


def _own_texts(leaf: Category) -> list[tuple[str, float]]:
    parts = alternatives(leaf.name)
    texts = [(part, _name_weight(part, parts)) for part in parts]
    return texts + [(keyword, KEYWORD_WEIGHT) for keyword in leaf.keywords]


def _texts_above(path: str, by_path: Mapping[str, Category]) -> list[tuple[str, float]]:
    """What the categories on a path lend to the leaves below it."""
    texts: list[tuple[str, float]] = []
    steps = path.split(PATH_SEPARATOR)
    for depth, step in enumerate(steps, start=1):
        category = by_path.get(PATH_SEPARATOR.join(steps[:depth]))
        keywords = category.keywords if category else ()
        texts += [(text, ANCESTOR_WEIGHT) for text in (*alternatives(step), *keywords)]
    return texts


def _name_weight(part: str, parts: Sequence[str]) -> float:
    """A lone word before others that share their last word is worth less."""
    is_modifier = " " not in part and any(other.startswith(f"{part} ") for other in parts)
    return MODIFIER_WEIGHT if is_modifier else NAME_WEIGHT


def alternatives(name: str) -> list[str]:
    """What a name lists: "Combi & hammer drills" names combi drills and hammer drills."""
    parts = [part for part in _ALTERNATIVES.split(_BRACKETS.sub(",", name)) if part]
    if len(parts) < 2:
        return parts
    head = parts[-1].split()
    shared = [f"{part} {head[-1]}" for part in parts[:-1] if len(head) > 1 and len(part.split()) == 1]
    return parts + shared
