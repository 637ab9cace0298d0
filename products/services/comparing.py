"""What one version of a taxonomy adds to another, removes, moves and renames."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nexus.api.errors import invalid
from products.models import Taxonomy

KINDS = ("added", "removed", "moved", "renamed", "recoded")


class Node(NamedTuple):
    """A category as it is compared."""

    code: str
    name: str
    path: str
    parent: str | None


class Difference(NamedTuple):
    """A category before and after; None where there is none."""

    before: Node | None
    after: Node | None


@dataclass(slots=True)
class Comparison:
    """All differences, by kind; a category that was both moved and renamed is among both.

    Moved is what has another parent, by its code: the categories below it have kept theirs. Recoded is what has
    another code in the same path, and so is neither added nor removed.
    """

    added: list[Difference] = field(default_factory=list)
    removed: list[Difference] = field(default_factory=list)
    moved: list[Difference] = field(default_factory=list)
    renamed: list[Difference] = field(default_factory=list)
    recoded: list[Difference] = field(default_factory=list)
    unchanged: int = 0

    def rows(self) -> Iterator[tuple[str, Difference]]:
        """Every difference with its kind."""
        for kind in KINDS:
            yield from ((kind, difference) for difference in getattr(self, kind))

    def report(self, limit: int) -> dict[str, Any]:
        """The numbers, and the first differences of each kind."""
        shown = {
            kind: [_as_document(difference) for difference in getattr(self, kind)[:limit]] for kind in KINDS
        }
        counts = {kind: len(getattr(self, kind)) for kind in KINDS}
        return {"counts": {**counts, "unchanged": self.unchanged}, **shown}


def compare(old: Taxonomy, new: Taxonomy) -> Comparison:
    """How `new` differs from `old`, by code, and by path where the code is another. Two queries.

    Raises Problem (400) for versions of different taxonomies: between those, mappings say what became what.
    """
    if old.code != new.code:
        detail = f"{old} and {new} are no versions of one taxonomy; see the mappings between them."
        raise invalid("/query/since", "other_taxonomy", detail)
    before, after = _nodes(old), _nodes(new)
    comparison = Comparison()
    for code in before.keys() & after.keys():
        _compare_pair(comparison, before[code], after[code])
    _pair_by_path(
        comparison,
        [node for code, node in before.items() if code not in after],
        [node for code, node in after.items() if code not in before],
    )
    for kind in KINDS:
        getattr(comparison, kind).sort(key=_path)
    return comparison


def _nodes(taxonomy: Taxonomy) -> dict[str, Node]:
    rows = taxonomy.categories.order_by().values_list("code", "name", "path", "parent__code")
    return {row[0]: Node(*row) for row in rows.iterator(chunk_size=10_000)}


def _compare_pair(comparison: Comparison, before: Node, after: Node) -> None:
    difference = Difference(before, after)
    if before.parent != after.parent:
        comparison.moved.append(difference)
    if before.name != after.name:
        comparison.renamed.append(difference)
    comparison.unchanged += before.parent == after.parent and before.name == after.name


def _pair_by_path(comparison: Comparison, removed: list[Node], added: list[Node]) -> None:
    by_path: dict[str, Node] = {node.path.casefold(): node for node in added}
    recoded = set()
    for node in removed:
        again = by_path.pop(node.path.casefold(), None)
        if again is None:
            comparison.removed.append(Difference(node, None))
        else:
            recoded.add(again.code)
            comparison.recoded.append(Difference(node, again))
    comparison.added.extend(Difference(None, node) for node in added if node.code not in recoded)


def _path(difference: Difference) -> str:
    node = difference.after or difference.before
    return node.path if node else ""


def _as_document(difference: Difference) -> Mapping[str, Any]:
    return {side: _brief(node) for side, node in difference._asdict().items()}


def _brief(node: Node | None) -> dict[str, str] | None:
    return {"code": node.code, "path": node.path} if node else None
