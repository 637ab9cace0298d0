"""Products without any label teach which words go with those of the categories."""

import pytest

from classification.engine import Category, Classifier, Text, fit

MAKERS = ("Acme", "Brunel", "Corvid", "Delta", "Eagle", "Falcon", "Grand", "Hilde", "Ibis", "Juno")
KINDS = ("Nitrile work gloves Flexigrip", "Twist drill bit Durasteel", "FFP3 respirator Breezon")
UNLABELLED = [Text(f"{kind} {maker} {size}") for kind in KINDS for maker in MAKERS for size in range(1, 9)]


@pytest.fixture(scope="module")
def self_trained(categories: list[Category]) -> Classifier:
    return fit(categories, unlabelled=UNLABELLED)


@pytest.mark.parametrize(("title", "code"), [("Flexigrip size 9", "gloves"), ("Durasteel 6mm", "bits")])
def test_brands_that_no_category_names_are_learned(
    self_trained: Classifier, cold: Classifier, ids: dict[str, int], title: str, code: str
) -> None:
    assert cold.predict([Text(title)])[0].category_id != ids[code]
    (prediction,) = self_trained.predict([Text(title)])
    assert prediction.category_id == ids[code]
    assert not prediction.is_certain


def test_what_the_categories_say_themselves_stays_as_certain_as_it_was(
    self_trained: Classifier, cold: Classifier
) -> None:
    (before,), (after,) = (one.predict([Text("Nitrile work gloves")]) for one in (cold, self_trained))
    assert (after.category_id, after.is_certain) == (before.category_id, before.is_certain)


def test_it_counts_nothing_as_learned_from_people(self_trained: Classifier) -> None:
    assert (self_trained.metrics["training_size"], self_trained.metrics["accuracy"]) == (0, None)
    assert not self_trained.predict([Text("Flexigrip")])[0].neighbours


def test_it_is_stored_and_read_again(self_trained: Classifier) -> None:
    again = Classifier.from_bytes(self_trained.to_bytes())
    texts = [Text("Flexigrip size 9"), Text("Twist drill bit"), Text("")]
    assert [one[:4] for one in again.predict(texts)] == [one[:4] for one in self_trained.predict(texts)]


def test_a_few_products_are_not_enough(categories: list[Category], ids: dict[str, int]) -> None:
    classifier = fit(categories, unlabelled=UNLABELLED[:50])
    assert classifier.predict([Text("Flexigrip size 9")])[0].category_id != ids["gloves"]
