"""Words of the trade in German, French and Spanish, and what they are in English (``glossary.csv``).

A title of another language finds categories with English names by them, as far as single words can: compounds and
terms of several words have to be made of these, or given to the categories as keywords.
"""

import csv
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

from classification.engine.languages import stem, without_written_umlauts
from classification.engine.text import NAME_LIMIT, clean, words

_FILE = Path(__file__).with_name("glossary.csv")
_SEPARATOR = "|"
Glossary = dict[str, tuple[tuple[str, ...], ...]]


@lru_cache(1)
def _glossary() -> Glossary:
    """Stem → what it may be in English, each as folded words; read once a process."""
    found: dict[str, dict[tuple[str, ...], None]] = defaultdict(dict)
    with _FILE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            meanings = [tuple(words(one)) for one in row.pop("english").split(_SEPARATOR)]
            for word in " ".join(row.values()).split():
                found[_key("".join(words(clean(word, NAME_LIMIT))))].update(dict.fromkeys(meanings))
    return {word: tuple(meanings) for word, meanings in found.items()}


def translations(word: str) -> tuple[tuple[str, ...], ...]:
    """What a folded word may be in English, each as folded words; none where it is not known."""
    return _glossary().get(_key(word), ())


def _key(word: str) -> str:
    return stem(without_written_umlauts(word))
