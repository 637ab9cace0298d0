"""Without any example the classifier ranks leaves by what their names and keywords explain of a text."""

import pytest

from classification.engine import Category, Classifier, Settings, Text, fit
from classification.engine.cold_start import ColdStart


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Makita DHP484Z 18V LXT Combi Drill", "drills"),
        ("Bosch GBH 2-26 SDS Plus 830W", "drills"),
        ("IRWIN Masonry Drill Bit 10 x 150mm", "bits"),
        ("HSS Jobber Drills 5.0mm (Pack of 10)", "bits"),
        ("Stanley Screw Driver PH2 x 100", "screwdrivers"),
        ("Draper Screwdrivers, 6 Piece", "screwdrivers"),
        ("Draper Srewdriver 5mm", "screwdrivers"),
        ("Knipex Wire-Stripping Pliers 160mm", "strippers"),
        ("CSK Pozi Chipboard Screws 4x40 Yellow", "wood-screws"),
        ("Rawlplugs brown, box of 100", "plugs"),
        ("3M Aura 9322+ FFP2 valved", "masks"),
        ("Philips GU10 5W warm white", "lamps"),
        ("Samsung 990 PRO 2TB M.2", "ssd"),
        ('Halfords 1/2" drive ratchet', "sockets"),
        ("Dencon rubber trailing socket", "trailing"),
    ],
)
def test_a_title_finds_its_leaf(cold: Classifier, ids: dict[str, int], title: str, code: str) -> None:
    assert cold.predict([Text(title)])[0].category_id == ids[code]


def test_only_leaves_are_answers(cold: Classifier, ids: dict[str, int]) -> None:
    found = cold.predict([Text("tools for electrical safety fasteners and drills")], top_k=20)[0]
    assert {candidate.category_id for candidate in found.candidates} <= set(ids.values())


def test_the_kind_named_before_for_beats_the_kind_after_it(cold: Classifier, ids: dict[str, int]) -> None:
    assert cold.predict([Text("Wood screws for wall plugs")])[0].category_id == ids["wood-screws"]


def test_the_name_of_the_maker_says_nothing_about_the_kind(cold: Classifier, ids: dict[str, int]) -> None:
    text = Text("Screwdrivers Inc. nitrile gloves", manufacturer="Screwdrivers Inc.")
    assert cold.predict([text])[0].category_id == ids["gloves"]


def test_a_title_that_says_nothing_is_helped_by_its_description(
    cold: Classifier, ids: dict[str, int]
) -> None:
    text = Text("Aura 9332", description="Comfortable respirator for dusty work.")
    assert cold.predict([text])[0].category_id == ids["masks"]


def test_attributes_count_as_text(cold: Classifier, ids: dict[str, int]) -> None:
    text = Text("Evo 970", attributes={"form_factor": "M.2", "capacity_gb": 500, "boxed": True})
    assert cold.predict([text])[0].category_id == ids["ssd"]


def test_the_candidates_come_best_first_and_not_more_than_asked(cold: Classifier) -> None:
    found = cold.predict([Text("drill screwdriver socket gloves")], top_k=3)[0]
    confidences = [candidate.confidence for candidate in found.candidates]
    assert len(confidences) == 3
    assert confidences == sorted(confidences, reverse=True)
    assert found.confidence == confidences[0]


def test_a_clear_case_is_certain_and_an_ambiguous_one_is_not(cold: Classifier) -> None:
    clear, ambiguous = cold.predict([Text("Makita combi hammer drill driver"), Text("Dencon drill")])
    assert clear.is_certain
    assert not ambiguous.is_certain
    assert clear.confidence > ambiguous.confidence


def test_the_evidence_names_the_words_that_spoke_for_the_answer(cold: Classifier) -> None:
    found = cold.predict([Text("Bahco cable stripper 2233D")])[0]
    assert {"cable", "stripper"} == {evidence.term for evidence in found.evidence}
    assert all(evidence.weight > 0 for evidence in found.evidence)


def test_the_evidence_has_at_most_eight_terms(cold: Classifier) -> None:
    every_word = "hammer drill combi drill sds+ driver twist masonry auger jobber bit tools"
    assert len(cold.predict([Text(every_word)])[0].evidence) <= 8


def test_the_figures_of_an_unmeasured_classifier_are_empty(cold: Classifier) -> None:
    metrics = cold.metrics
    assert metrics["training_size"] == 0
    measured = ("accuracy", "top_5_accuracy", "ece", "precision", "coverage", "threshold")
    assert [metrics[name] for name in measured] == [None] * 6


def test_words_in_every_product_of_the_user_weigh_less(categories: list[Category]) -> None:
    alone = ColdStart(categories)
    knowing = ColdStart(categories, alone.count(Text(f"drill article {number}") for number in range(300)))
    bits = next(number for number, leaf in enumerate(alone.leaves) if leaf.code == "bits")
    before, after = (dict(cold.explain(Text("drill bit"), bits)) for cold in (alone, knowing))
    assert after["drill"] / after["bit"] < before["drill"] / before["bit"]


def test_two_categories_are_enough() -> None:
    pair = [Category(1, "a", "Nails", "Nails"), Category(2, "b", "Paint", "Paint")]
    assert [one.category_id for one in fit(pair).predict([Text("oval nails"), Text("white paint")])] == [1, 2]


def test_a_taxonomy_without_leaves_is_an_error() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        fit([Category(1, "a", "Tools", "Tools", (), False)])


def test_a_promise_of_everything_is_an_error() -> None:
    with pytest.raises(ValueError, match="promised_precision"):
        Settings(promised_precision=1.0)


def test_the_letters_of_a_part_number_are_a_keyword(categories: list[Category]) -> None:
    drills = Category(900, "makita", "Percussion borers", "Tools > Percussion borers", ("DHP",))
    assert fit([*categories, drills]).predict([Text("DHP484Z")])[0].category_id == 900


def test_a_word_that_is_only_similar_makes_nothing_certain(cold: Classifier, ids: dict[str, int]) -> None:
    exact, similar = cold.predict([Text("respirator"), Text("respirado")])
    assert exact.category_id == ids["masks"]
    assert similar.confidence < exact.confidence
    assert not similar.is_certain


def test_a_piece_of_a_part_number_is_less_sure_than_the_word(cold: Classifier, ids: dict[str, int]) -> None:
    word, piece = cold.predict([Text("Acme SSD"), Text("Acme KX420Z-SSD-R5B")])
    assert word.category_id == piece.category_id == ids["ssd"]
    assert piece.confidence < word.confidence
    assert not piece.is_certain


def test_a_maker_of_one_kind_of_product_helps_where_the_title_says_nothing(
    categories: list[Category],
) -> None:
    storage = Category(900, "storage", "Network storage", "IT > Network storage", ("Datamax",))
    found = fit([*categories, storage]).predict([Text("Datamax RS1221", manufacturer="Datamax")])[0]
    assert found.category_id == 900
    assert not found.is_certain
