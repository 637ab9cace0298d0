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
    phrases: list[Phrase] = []
    for number, leaf in enumerate(leaves):
        weights: dict[tuple[str, ...], float] = {}
        for text, weight in [*_weighted_texts(leaf, by_path), *borrowed.get(number, ())]:
            if text not in folded:
                folded[text] = tuple(words(clean(text, NAME_LIMIT)))
            if folded[text]:
                weights[folded[text]] = max(weight, weights.get(folded[text], 0.0))
        phrases.extend(Phrase(number, phrase, weight) for phrase, weight in weights.items())
    return phrases


def _weighted_texts(leaf: Category, by_path: dict[str, Category]) -> list[tuple[str, float]]:
    texts = [(part, _name_weight(part, leaf.name)) for part in alternatives(leaf.name)]
    texts += [(keyword, KEYWORD_WEIGHT) for keyword in leaf.keywords]
    steps = leaf.path.split(PATH_SEPARATOR)[:-1]
    for depth, step in enumerate(steps, start=1):
        texts += [(part, ANCESTOR_WEIGHT) for part in alternatives(step)]
        above = by_path.get(PATH_SEPARATOR.join(steps[:depth]))
        texts += [(keyword, ANCESTOR_WEIGHT) for keyword in (above.keywords if above else ())]
    return texts


def _name_weight(part: str, name: str) -> float:
    """A lone word before others that share their last word is worth less."""
    parts = alternatives(name)
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
