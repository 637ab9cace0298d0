"""Which categories lie above each leaf of a taxonomy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.data import Category
from classification.engine.phrases import PATH_SEPARATOR

Integers = NDArray[np.int64]


class Tree:
    """Nodes are the categories that hold some leaves but not all: an answer that is always right says nothing.

    ``ids`` are their category ids, ``above`` the node numbers over each leaf, nearest first, ``members`` a matrix of
    shape (leaves, nodes) with a one where the leaf lies below the node, and ``below`` the leaves below each node,
    ascending.
    """

    def __init__(self, categories: Sequence[Category], leaves: Sequence[Category]) -> None:
        inner = {category.path: category.id for category in categories if not category.is_leaf}
        chains = [[path for path in _paths_above(leaf.path) if path in inner] for leaf in leaves]
        held: dict[str, int] = {}
        for chain in chains:
            for path in chain:
                held[path] = held.get(path, 0) + 1
        paths = sorted(path for path, count in held.items() if count < len(leaves))
        numbers = {path: number for number, path in enumerate(paths)}
        self.ids = [inner[path] for path in paths]
        self.above = [tuple(numbers[path] for path in chain if path in numbers) for chain in chains]
        leaf_of = [leaf for leaf, nodes in enumerate(self.above) for _ in nodes]
        node_of = [node for nodes in self.above for node in nodes]
        ones = np.ones(len(leaf_of), dtype=np.float32)
        self.members = csr_matrix((ones, (leaf_of, node_of)), shape=(len(leaves), len(paths)))
        by_node = self.members.tocsc()
        self.below: list[Integers] = np.split(by_node.indices, by_node.indptr[1:-1])


def _paths_above(path: str) -> list[str]:
    """The paths of the categories above, nearest first."""
    names = path.split(PATH_SEPARATOR)
    return [PATH_SEPARATOR.join(names[:depth]) for depth in range(len(names) - 1, 0, -1)]
