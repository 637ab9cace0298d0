"""The cold start reads texts in batches, and a text reads the same in any batch."""

import numpy as np
import pytest

from classification.engine import Category, Text
from classification.engine.cold_start import COLD_THRESHOLD, ColdStart, pseudo_labels

TITLES = [
    Text("Makita combi hammer drill"),
    Text("?!"),
    Text("Knipex wire stripping pliers"),
    Text("qqq zzz"),
]


@pytest.fixture(scope="module")
def start(categories: list[Category]) -> ColdStart:
    return ColdStart(categories)


def codes_of(start: ColdStart, texts: list[Text]) -> list[str]:
    return [start.leaves[leaf].code for leaf in start.read(texts).best]


def test_scores_have_a_row_a_text_and_a_column_a_leaf(start: ColdStart) -> None:
    readings = start.read(TITLES)
    assert readings.scores.shape == (4, len(start.leaves))
    assert readings.is_known().tolist() == [True, False, True, False]


def test_probabilities_add_up_to_one_or_are_zero_where_nothing_is_known(start: ColdStart) -> None:
    totals = start.read(TITLES).probabilities().toarray().sum(axis=1)
    assert totals == pytest.approx([1, 0, 1, 0])


def test_confidence_is_zero_where_nothing_is_known(start: ColdStart) -> None:
    confidences = start.read(TITLES).confidence()
    assert confidences[[1, 3]].tolist() == [0, 0]
    assert confidences[0] >= COLD_THRESHOLD


def test_a_text_reads_the_same_alone_and_among_others(start: ColdStart) -> None:
    together = start.read(TITLES * 30)
    alone = [start.read([text]) for text in TITLES]
    assert np.array_equal(
        together.scores.toarray()[:4], np.concatenate([one.scores.toarray() for one in alone])
    )
    assert np.array_equal(together.confidence()[-4:], np.concatenate([one.confidence() for one in alone]))


def test_no_texts_give_no_rows(start: ColdStart) -> None:
    readings = start.read([])
    assert readings.scores.shape == (0, len(start.leaves))
    assert readings.confidence().tolist() == []
    assert readings.probabilities().shape == (0, len(start.leaves))


def test_a_row_is_explained_when_asked(start: ColdStart) -> None:
    readings = start.read(TITLES)
    best = readings.best
    assert {one.term for one in readings.explain(2, int(best[2]))} == {"wire", "stripping", "pliers"}
    assert readings.explain(1, 0) == ()


def test_words_that_no_category_has_make_the_answer_less_sure(start: ColdStart) -> None:
    known, strange = start.read(
        [Text("Acme hammer drill"), Text("Acme hammer drill poems revisited")]
    ).confidence()
    assert strange < known


def test_pseudo_labels_are_the_most_certain_texts_in_their_order(start: ColdStart) -> None:
    texts = [Text("drill"), *TITLES, Text("FFP3 respirator dust mask")]
    found = pseudo_labels(start, texts, share=0.5)
    assert [(number, start.leaves[leaf].code) for number, leaf in found] == [
        (1, "drills"),
        (3, "strippers"),
        (5, "masks"),
    ]


def test_texts_that_say_nothing_get_no_pseudo_label(start: ColdStart) -> None:
    assert pseudo_labels(start, [Text("qqq"), Text("")], share=1.0) == []


def leaves_named(*names: str) -> list[Category]:
    return [Category(number, name, name, f"Shop > {name}") for number, name in enumerate(names)]


def test_a_bare_name_borrows_what_else_it_may_be_called() -> None:
    start = ColdStart(leaves_named("Video Card", "Motherboard", "Power Supply", "Keyboard", "Monitor"))
    assert codes_of(start, [Text("Gainward GeForce RTX 3060"), Text("24 inch IPS display")]) == [
        "Video Card",
        "Monitor",
    ]


def test_a_name_borrows_nothing_from_another_trade() -> None:
    parts = ("Diodes", "Transistors", "Capacitors", "Resistors", "Microcontrollers", "Inductors", "Crystals")
    polisher = [Text("Car polisher with lambswool bonnet")]
    assert ColdStart(leaves_named("Buffer", "Angle grinders", "Belt sanders")).read(polisher).is_known()[0]
    assert not ColdStart(leaves_named("Buffer", *parts)).read(polisher).is_known()[0]


def test_own_keywords_count_more_than_borrowed_ones() -> None:
    own = Category(9, "own", "Adapters", "Shop > Adapters", ("GeForce",))
    start = ColdStart([*leaves_named("Video Card", "Motherboard", "Keyboard", "Monitor"), own])
    assert codes_of(start, [Text("GeForce")]) == ["own"]


def test_a_part_number_belongs_to_the_longest_series_that_it_begins_with() -> None:
    start = ColdStart(leaves_named("QXL32", "QXL32F4", "ZRT16"))
    assert codes_of(start, [Text("QXL32F413ZGTx"), Text("QXL32L072"), Text("ZRT16F76-ISP")]) == [
        "QXL32F4",
        "QXL32",
        "ZRT16",
    ]


def test_a_text_on_its_own_is_explained_as_in_a_batch(start: ColdStart) -> None:
    together = start.read(TITLES)
    for row, title in enumerate(TITLES):
        alone = start.read([title])
        for leaf in range(len(start.leaves)):
            assert alone.explain(0, leaf) == together.explain(row, leaf)
