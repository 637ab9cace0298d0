"""A model of very many weights scores in another way than a small one, and to the same end."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array, vstack

from classification.engine.model import LinearModel

FEATURES, CATEGORIES = 3_000, 7_000


@pytest.fixture(scope="module")
def model() -> LinearModel:
    """Most features speak for a few categories, the first ten for a third of them."""
    chance = np.random.default_rng(7)
    parts = [
        random_array((count, CATEGORIES), density=density, rng=chance, dtype=np.float32)
        for count, density in ((10, 0.3), (FEATURES - 10, 0.001))
    ]
    bias = chance.random(CATEGORIES, dtype=np.float32)
    return LinearModel(csr_matrix(vstack(parts)), bias)


def test_scores_are_the_product_of_rows_and_weights(model: LinearModel) -> None:
    rows = csr_matrix(
        random_array((20, FEATURES), density=0.05, rng=np.random.default_rng(8), dtype=np.float32)
    )
    expected = (rows @ model.weights).toarray() + model.bias
    assert np.allclose(model.scores(rows), expected, atol=1e-5)


def test_a_row_without_features_scores_the_bias(model: LinearModel) -> None:
    assert np.array_equal(
        model.scores(csr_matrix((2, FEATURES), dtype=np.float32)), np.tile(model.bias, (2, 1))
    )
