"""German, French and Spanish word forms, for words that no category has as they stand.

Plural and gender endings are cut as the minimal stemmers of J. Savoy, "Light Stemming Approaches for the French,
Portuguese, German and Hungarian Languages", 2006, cut them; endings that English words of the trade have too
(-er, as in cutter) are left alone. Accents and the marks of umlauts have been taken off before.
"""

import re
from collections.abc import Iterator

_ENDINGS = ("en", "es", "e", "n", "s", "a", "o", "x")
_SHORTEST_STEM = 5
_LINKS = ("", "s", "n", "en", "es", "e")
_SHORTEST_PART = 3
# "Schluessel" is another way to write "Schlüssel", which is "schlussel" here.
_WRITTEN_OUT = re.compile(r"(?<=[aou])e")


def stem(word: str) -> str:
    """A word without its ending of plural or gender."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def without_written_umlauts(word: str) -> str:
    """The word with ae, oe and ue as a, o and u."""
    return _WRITTEN_OUT.sub("", word)


def compounds(word: str) -> Iterator[tuple[list[str], str]]:
    """Every way to see a word as a compound: the forms that its first part may have, and its second part.

    German compounds join their parts with or without a linking element: Sicherheit-s-stiefel, Kabel-trommel.
    Those with the longest second part, which names the kind of thing, come first.
    """
    for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART):
        first = word[:cut]
        forms = [first[: len(first) - len(link)] for link in _LINKS if first.endswith(link)]
        yield [form for form in forms if len(form) >= _SHORTEST_PART], word[cut:]
