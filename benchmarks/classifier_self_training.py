"""What the user's own products are worth while none of them has a label.

    python -m benchmarks.classifier_self_training --data DIR

The products of each training file are given without their labels, and the answers about those of its test file are
counted. Prints one line a set: top-1, top-5, the share of certain answers and how many of these are right, first
without and then with the unlabelled products, and as its last line all figures as JSON.
"""

import argparse
import json
from pathlib import Path

from benchmarks.classifier_cold import Measured, labelled_sets
from classification.engine import Classifier, Text, fit


def figures(classifier: Classifier, measured: Measured) -> dict[str, float]:
    """How often the classifier is right about labelled products."""
    found = classifier.predict([product.text for product in measured.products])
    pairs = list(zip(found, (product.right for product in measured.products), strict=True))
    firsts = [one.category_id in right for one, right in pairs]
    certain = [one.category_id in right for one, right in pairs if one.is_certain]
    among_five = [any(candidate.category_id in right for candidate in one.candidates) for one, right in pairs]
    return {
        "top_1": _share(firsts),
        "top_5": _share(among_five),
        "certain": round(len(certain) / len(pairs), 3),
        "precision_of_certain": _share(certain),
    }


def _share(hits: list[bool]) -> float:
    return round(sum(hits) / max(1, len(hits)), 3)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="directory of the labelled sets")
    data = parser.parse_args().data
    found = {}
    for train, test in zip(labelled_sets(data, "train"), labelled_sets(data, "test"), strict=True):
        texts: list[Text] = [product.text for product in train.products]
        alone = figures(fit(test.categories), test)
        knowing = figures(fit(test.categories, unlabelled=texts), test)
        found[test.name] = {"alone": alone, "with_unlabelled": knowing}
        print(f"{test.name:42}", *alone.values(), "|", *knowing.values(), flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
