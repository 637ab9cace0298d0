"""BM25 over category documents: the peer that the cold start must never fall below."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine import Category, Text
from classification.engine.text import (
    DESCRIPTION_LIMIT,
    NAME_LIMIT,
    SHORT_LIMIT,
    attributes_text,
    clean,
    words,
)

_K1, _B = 1.2, 0.75


class BM25:
    """Okapi BM25 (Robertson and Zaragoza, 2009) with the engine's own words, one document a leaf.

    A document is the leaf's name, path and keywords; it is as strong a BM25 as the engine's text folding makes.
    """

    def __init__(self, leaves: Sequence[Category]) -> None:
        documents = [
            words(clean(" ".join((leaf.name, leaf.path, *leaf.keywords)), 10_000)) for leaf in leaves
        ]
        self.terms = {word: number for number, word in enumerate(sorted({w for d in documents for w in d}))}
        counts = self._counts(documents)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        found = np.bincount(counts.indices, minlength=len(self.terms))
        idf = np.log1p((len(leaves) - found + 0.5) / (found + 0.5))
        norms = _K1 * (1 - _B + _B * lengths / max(1e-9, lengths.mean()))
        rows = np.repeat(np.arange(len(leaves)), np.diff(counts.indptr))
        counts.data = idf[counts.indices] * counts.data * (_K1 + 1) / (counts.data + norms[rows])
        self.weights = counts.T.tocsr()

    def _counts(self, documents: Sequence[Sequence[str]]) -> csr_matrix:
        known = [[self.terms[word] for word in document if word in self.terms] for document in documents]
        rows = np.repeat(np.arange(len(known)), [len(one) for one in known])
        columns = np.array([term for one in known for term in one], dtype=np.int64)
        shape = (len(documents), len(self.terms))
        return csr_matrix((np.ones(len(columns)), (rows, columns)), shape=shape)

    def scores(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Scores of shape (texts, leaves)."""
        queries = [
            words(clean(text.name, NAME_LIMIT))
            + words(clean(text.manufacturer, SHORT_LIMIT))
            + words(clean(text.description, DESCRIPTION_LIMIT))
            + words(attributes_text(text.attributes))
            for text in texts
        ]
        return np.asarray((self._counts(queries) @ self.weights).todense())
