"""Whether pseudo-labels help: a linear model fitted on them and on the category documents, and a blend.

    python -m benchmarks.classifier_self_training --data DIR

Half of each training file is taken for the user's unlabelled products, the other half is measured. The model is a
plain one (words and pairs of words, TF-IDF, LinearSVC). Prints one line a set: precision of the pseudo-labels,
top-1 of the cold start, of the model, and of the blends with a share of the cold start's probabilities.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from benchmarks.classifier_cold import Measured, hits, labelled_sets
from classification.engine import Text
from classification.engine.calibration import softmax
from classification.engine.cold_start import ColdStart, pseudo_labels
from classification.engine.phrase_index import Floats
from classification.engine.text import attributes_text

_MOST_PRODUCTS = 3_000
_TEMPERATURE = 0.15
_SHARES = (0.2, 0.35, 0.5)


def words_of(text: Text) -> str:
    """All that is known of a product as one string."""
    return " ".join(
        (text.name, text.manufacturer, text.description, attributes_text(text.attributes))
    ).lower()


def scores_of(train: list[str], labels: list[int], test: list[str]) -> Floats:
    """Scores of a linear model, of shape (texts, labels)."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"[^\W_]+")
    model = LinearSVC(random_state=0).fit(vectorizer.fit_transform(train), labels)
    return np.asarray(model.decision_function(vectorizer.transform(test)))


def measure(one: Measured) -> dict[str, float]:
    """The figures of a set."""
    products = one.products[:: max(1, len(one.products) // _MOST_PRODUCTS)]
    unlabelled, measured = [product.text for product in products[::2]], products[1::2]
    cold = ColdStart(one.categories)
    cold = ColdStart(one.categories, cold.count(unlabelled))
    ids = [leaf.id for leaf in cold.leaves]
    pseudo = pseudo_labels(cold, unlabelled)
    right = [ids[leaf] in products[2 * number].right for number, leaf in pseudo]
    documents = [" ".join((leaf.name, leaf.path, *leaf.keywords)).lower() for leaf in cold.leaves]
    own = list(range(len(documents)))
    texts = [product.text for product in measured]
    test = [words_of(text) for text in texts]
    readings = cold.read(texts)
    train = [words_of(unlabelled[number]) for number, _ in pseudo]
    scores = scores_of(train + documents, [leaf for _, leaf in pseudo] + own, test)
    learned = softmax(scores.astype(np.float32), _TEMPERATURE).astype(np.float64)

    def top_1(scores: Floats) -> float:
        return round(float(hits(scores, cold, measured, 1).mean()), 3)

    likely = readings.probabilities()
    known = likely.any(axis=1, keepdims=True)
    blends = {
        f"blend_{share}": top_1(np.where(known, share * likely + (1 - share) * learned, learned))
        for share in _SHARES
    }
    return {
        "pseudo_labels": len(pseudo),
        "precision": round(float(np.mean(right)), 3) if right else 0.0,
        "cold": top_1(readings.scores),
        "self_training": top_1(learned),
        **blends,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="directory of the labelled sets")
    for one in labelled_sets(parser.parse_args().data, "train"):
        print(
            f"{one.name:42}", "  ".join(f"{key} {value}" for key, value in measure(one).items()), flush=True
        )


if __name__ == "__main__":
    main()
