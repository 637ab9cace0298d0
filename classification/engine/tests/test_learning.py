"""Labelled products teach words that no category has, and say how far the answers can be trusted."""

import random

import pytest

from classification.engine import Category, Classifier, Example, Settings, Text, fit


def test_words_of_labelled_products_are_learned(
    cold: Classifier, trained: Classifier, ids: dict[str, int]
) -> None:
    text = Text("Zenith pointed fixing yellow 9mm")
    assert cold.predict([text])[0].category_id != ids["wood-screws"]
    assert trained.predict([text])[0].category_id == ids["wood-screws"]


def test_leaves_without_examples_stay_findable(trained: Classifier, ids: dict[str, int]) -> None:
    titles = [Text("Bahco cable stripper"), Text("Philips GU10 bulb"), Text("Dencon trailing socket")]
    found = [prediction.category_id for prediction in trained.predict(titles)]
    assert found == [ids["strippers"], ids["lamps"], ids["trailing"]]


def test_one_correction_is_enough_for_the_same_title(categories: list[Category], ids: dict[str, int]) -> None:
    text = Text("Corvid drill socket 40")
    corrected = fit(categories, [Example(text, ids["trailing"])])
    assert corrected.predict([text])[0].category_id == ids["trailing"]


def test_known_products_get_high_confidence(trained: Classifier) -> None:
    known, odd = trained.predict(
        [Text("Acme knitted hand protection classic 7mm"), Text("protection for wood")]
    )
    assert known.confidence > 0.9
    assert odd.confidence < known.confidence


@pytest.fixture(scope="module")
def labelled_throughout(categories: list[Category], examples: list[Example]) -> Classifier:
    """A classifier of a taxonomy in which every leaf has labels."""
    known = {example.category_id for example in examples}
    return fit([one for one in categories if not one.is_leaf or one.id in known], examples)


def test_the_promise_is_kept_out_of_fold(labelled_throughout: Classifier) -> None:
    metrics = {name: -1.0 if value is None else value for name, value in labelled_throughout.metrics.items()}
    assert (metrics["training_size"], metrics["labelled_categories"]) == (180, 5)
    assert metrics["precision"] >= 0.95
    assert 0 < metrics["threshold"] < 1
    assert 0 < metrics["coverage"] <= 1
    assert 0 <= metrics["ece"] <= 1


def test_labels_in_few_categories_make_nothing_certain_that_the_names_do_not_say(
    trained: Classifier, ids: dict[str, int]
) -> None:
    """Most leaves have no label, and what their products look like is unknown."""
    found = trained.predict([Text("Acme knitted hand protection classic 7mm"), Text("Bahco cable stripper")])
    assert [one.category_id for one in found] == [ids["gloves"], ids["strippers"]]
    assert not any(one.is_certain for one in found)


def test_labels_that_contradict_the_names_take_their_certainty(
    categories: list[Category], ids: dict[str, int]
) -> None:
    drill, other = Text("SDS+ combi drill"), Text("Philips GU10 light bulb")
    assert fit(categories, [Example(other, ids["lamps"])]).predict([drill])[0].is_certain
    contradicting = [Example(Text(f"{name} light bulb GU10"), ids["masks"]) for name in ("Osram", "Sylvania")]
    assert not fit(categories, contradicting).predict([drill])[0].is_certain


def test_nothing_is_certain_when_the_promise_cannot_be_kept(
    categories: list[Category], examples: list[Example], ids: dict[str, int]
) -> None:
    chance = random.Random(0)
    muddled = [Example(one.text, chance.choice(sorted(ids.values()))) for one in examples]
    classifier = fit(categories, muddled)
    assert classifier.metrics["threshold"] is None
    assert classifier.metrics["coverage"] == 0.0
    assert not any(found.is_certain for found in classifier.predict([one.text for one in examples]))


def test_a_harder_promise_accepts_no_more(categories: list[Category], examples: list[Example]) -> None:
    chance = random.Random(0)
    mixed = [Example(one.text, 100 if chance.random() < 0.08 else one.category_id) for one in examples]
    easy = fit(categories, mixed, settings=Settings(0.8)).metrics
    hard = fit(categories, mixed, settings=Settings(0.99)).metrics
    assert (hard["coverage"] or 0) <= (easy["coverage"] or 0)


def test_fewer_than_a_hundred_labels_leave_calibration_unmeasured(
    categories: list[Category], examples: list[Example]
) -> None:
    metrics = fit(categories, examples[:40]).metrics
    assert metrics["accuracy"] is not None
    assert (metrics["ece"], metrics["threshold"]) == (None, None)


def test_many_copies_of_few_titles_measure_nothing(categories: list[Category], ids: dict[str, int]) -> None:
    drills = [Example(Text(f"hammer drill {number}"), ids["drills"]) for number in range(90)]
    masks = [Example(Text(f"dust mask {number}"), ids["masks"]) for number in range(90)]
    classifier = fit(categories, drills + masks)
    assert (classifier.metrics["ece"], classifier.metrics["threshold"]) == (None, None)
    drill, *foreign = classifier.predict(
        [Text("hammer drill 7"), Text("the"), Text("garden hose"), Text("baby stroller")]
    )
    assert drill.category_id == ids["drills"]
    assert not any(found.is_certain for found in foreign)


def test_labels_outside_the_taxonomy_and_empty_texts_are_left_out(
    categories: list[Category], ids: dict[str, int]
) -> None:
    labelled = [
        Example(Text("combi drill"), 999_999),
        Example(Text("combi drill"), categories[0].id),
        Example(Text(" "), ids["drills"]),
        Example(Text("combi drill"), ids["drills"]),
    ]
    assert fit(categories, labelled).metrics["training_size"] == 1


def test_learned_answers_come_with_evidence(trained: Classifier) -> None:
    found = trained.predict([Text("Zenith leather hand protection")])[0]
    assert {"hand", "protection"} <= {evidence.term for evidence in found.evidence}
    assert 0 < len(found.evidence) <= 8


def test_labels_of_a_two_leaf_taxonomy_are_learned() -> None:
    pair = [Category(1, "a", "Nails", "Nails"), Category(2, "b", "Paint", "Paint")]
    labelled = [Example(Text("oval brads"), 1), Example(Text("silk emulsion"), 2)] * 3
    found = fit(pair, labelled).predict([Text("lost head brads"), Text("matt emulsion")])
    assert [one.category_id for one in found] == [1, 2]


def test_a_single_leaf_with_labels_is_answered() -> None:
    only = [Category(1, "a", "Nails", "Nails")]
    assert fit(only, [Example(Text("oval nails"), 1)]).predict([Text("nails")])[0].category_id == 1


def test_with_many_labels_for_every_leaf_unknown_text_is_still_refused() -> None:
    pair = [Category(1, "a", "Nails", "Nails"), Category(2, "b", "Paint", "Paint")]
    nails = [Example(Text(f"{maker} oval brads {size}mm"), 1) for maker in "abcde" for size in range(12)]
    paint = [Example(Text(f"{maker} silk emulsion {size}l"), 2) for maker in "abcde" for size in range(12)]
    known, unknown = fit(pair, nails + paint).predict([Text("lost head brads"), Text("zxqv wvutsr")])
    assert known.category_id == 1
    assert unknown.category_id is None


def test_the_confidences_of_the_candidates_are_never_more_than_one_together(trained: Classifier) -> None:
    makers, kinds = (
        ("Acme", "Zenith", "Delta"),
        ("borer", "cutter", "fixing", "hand", "protection", "drill mask"),
    )
    texts = [Text(f"{maker} {one} {other}") for maker in makers for one in kinds for other in kinds]
    for found in trained.predict(texts, top_k=20):
        parts = [round(candidate.confidence * 10_000) for candidate in found.candidates]
        assert sum(parts) <= 10_000
