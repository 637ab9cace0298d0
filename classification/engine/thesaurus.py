"""The built-in hardware taxonomy as a thesaurus: what else a category may be called.

A leaf "Video Card" of any taxonomy is the leaf "Graphics cards" of the built-in one, whose keywords it borrows
at a lower weight than its own. As one name means different things in different catalogues (a buffer
polishes floors, or drives a bus), the areas that most names of a taxonomy lie in decide: with P(t | l) the
probability that the thesaurus' leaf t is meant by the name of l,

    area(a) ~ sum over l of confidence(l) * sum over t in a of P'(t | l),    P'(t | l) ~ P(t | l) * area(of t)

in a few rounds, as in expectation maximisation. A leaf of the thesaurus that many leaves
would borrow from is coarser than the taxonomy and helps none of them.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classification.engine.data import Category, Text
from classification.engine.phrase_index import Floats, Integers
from classification.engine.phrases import KEYWORD_WEIGHT, PATH_SEPARATOR, leaves_of, phrases_of
from classification.engine.ranking import ProductFrequencies, Ranking

_FILE = Path(__file__).resolve().parents[2] / "products" / "data" / "nexus-hardware.csv"
_WEIGHT = 0.6 * KEYWORD_WEIGHT
_LEAST_EXPLAINED = 0.42
_LEAST_OF_STRONGEST_AREA = 0.2
_MOST_BORROWERS = 3
_MOST_LEAVES = 2_000
_ROUNDS = 3
_SMALLEST_AREA = 1e-3
Borrowed = Mapping[int, Sequence[tuple[str, float]]]


class Thesaurus(NamedTuple):
    """Its leaves, their ranking, and the number of the area (the two upper levels) of each leaf."""

    leaves: Sequence[Category]
    ranking: Ranking
    areas: Integers


@lru_cache(1)
def built_in_categories() -> Sequence[Category]:
    """The built-in taxonomy, read once a process."""
    with _FILE.open(encoding="utf-8", newline="") as lines:
        rows = {row["code"]: row for row in csv.DictReader(lines)}
    parents = {row["parent"] for row in rows.values()}
    return [
        Category(
            id=number,
            code=code,
            name=row["name"],
            path=PATH_SEPARATOR.join(_path(code, rows)),
            keywords=tuple(filter(None, row["keywords"].split("|"))),
            is_leaf=code not in parents,
        )
        for number, (code, row) in enumerate(rows.items())
    ]


@lru_cache(1)
def _thesaurus() -> Thesaurus:
    leaves = leaves_of(built_in_categories())
    ranking = Ranking(phrases_of(built_in_categories(), leaves, {}), len(leaves), ProductFrequencies())
    names = [".".join(leaf.code.split(".")[:2]) for leaf in leaves]
    return Thesaurus(leaves, ranking, np.unique(names, return_inverse=True)[1].astype(np.int64))


def _path(code: str, rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    parent = rows[code]["parent"]
    return [*(_path(parent, rows) if parent else []), rows[code]["name"]]


def borrow(leaves: Sequence[Category]) -> Borrowed:
    """Further names and keywords, with their weights, for leaves, by the number of the leaf."""
    own = {(category.path, category.keywords) for category in built_in_categories()}
    poor = [number for number, leaf in enumerate(leaves) if (leaf.path, tuple(leaf.keywords)) not in own]
    if not poor or len(poor) > _MOST_LEAVES:
        return {}
    source = _thesaurus()
    borrowed = {}
    for lender, borrower in _lenders(source, [leaves[number] for number in poor]).items():
        texts = (source.leaves[lender].name, *source.leaves[lender].keywords)
        borrowed[poor[borrower]] = [(text, _WEIGHT) for text in texts]
    return borrowed


def _lenders(source: Thesaurus, leaves: Sequence[Category]) -> dict[int, int]:
    """Leaves of the thesaurus, each with the place of the one leaf that it is meant by."""
    readings = source.ranking.read([Text(leaf.name, description=leaf.path) for leaf in leaves])
    likely, area = _with_areas(readings.probabilities().toarray(), readings.confidence(), source.areas)
    best = likely.argmax(axis=1)
    rows = np.arange(len(leaves))
    explained = readings.explained(best)
    is_near = area[source.areas[best]] >= _LEAST_OF_STRONGEST_AREA * area.max()
    accepted = (likely[rows, best] > 0) & is_near & (explained >= _LEAST_EXPLAINED)
    borrowers: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(accepted).tolist():
        borrowers[int(best[row])].append(row)
    return {
        lender: max(found, key=lambda row: (explained[row], -row))
        for lender, found in borrowers.items()
        if len(found) <= _MOST_BORROWERS
    }


def _with_areas(likely: Floats, confidences: Floats, areas: Integers) -> tuple[Floats, Floats]:
    """Probabilities of shape (leaves, thesaurus) with the areas taken into account, and the share of each area."""
    member = np.zeros((len(areas), int(areas.max()) + 1))
    member[np.arange(len(areas)), areas] = 1.0
    found, area = likely, np.ones(member.shape[1])
    for _ in range(_ROUNDS):
        area = confidences @ (found @ member) + _SMALLEST_AREA
        area /= area.sum()
        found = likely * area[areas]
        found /= np.maximum(found.sum(axis=1, keepdims=True), 1e-12)
    return found, area
