"""Text that resembles nothing known gets no category, and no text breaks the engine."""

import pytest

from classification.engine import Classifier, Text
from classification.engine.data import AttributeValue

NOTHING_KNOWN = [
    "",
    "   ",
    "?!... --- ###",
    "12345 67 8.9",
    "zxqv wvutsr qqq",
    "Das ist ein ganz anderer Satz",
    "これは製品ではありません",
    "\N{PILE OF POO}\N{PILE OF POO}",
    "the and of with for",
]


@pytest.mark.parametrize("name", NOTHING_KNOWN)
def test_a_cold_classifier_abstains(cold: Classifier, name: str) -> None:
    found = cold.predict([Text(name)])[0]
    assert (found.category_id, found.confidence, found.is_certain) == (None, 0.0, False)


@pytest.mark.parametrize(
    "name",
    [
        "Heinz Baked Beans in Tomato Sauce 4 x 415g",
        "The Lord of the Rings: The Two Towers",
        "Women's Floral Summer Midi Dress, Size 12",
        "Shares fell sharply as investors worried about rising interest rates.",
        "Der Mond ist aufgegangen, die goldnen Sternlein prangen",
        "Ravensburger 1000 Piece Jigsaw Puzzle Venice",
        "Nail bar gift voucher for two",
    ],
)
def test_a_cold_classifier_is_not_certain_of_texts_of_another_domain(cold: Classifier, name: str) -> None:
    assert not cold.predict([Text(name)])[0].is_certain


@pytest.mark.parametrize("name", NOTHING_KNOWN)
def test_a_trained_classifier_abstains(trained: Classifier, name: str) -> None:
    found = trained.predict([Text(name)])[0]
    assert (found.category_id, found.confidence, found.is_certain) == (None, 0.0, False)


@pytest.mark.parametrize(
    "name",
    [
        "combi drill " * 100_000,
        "1x" * 500_000,
        "\x00\x01combi drill\x7f",
        "\ud800 combi drill \udfff",
        "COMBİ DRİLL ﷺ ½ ″ combi drill",
        "a" * 1_000_000,
        "((((((" * 1000 + "combi drill",
        "co\N{COMBINING ACUTE ACCENT}mbi drill",
    ],
)
def test_strange_text_is_answered(cold: Classifier, trained: Classifier, name: str) -> None:
    text = Text(name, description=name, manufacturer=name, part_number=name, attributes={name: name})
    for classifier in (cold, trained):
        found = classifier.predict([text])[0]
        assert 0.0 <= found.confidence <= 1.0


def test_strange_attributes_are_answered(cold: Classifier, ids: dict[str, int]) -> None:
    attributes: dict[str, AttributeValue] = {
        "": "",
        "n": float("nan"),
        "i": float("inf"),
        "b": False,
        "big": 10**400,
        "x\x00": "\ud800",
    }
    assert cold.predict([Text("combi drill", attributes=attributes)])[0].category_id == ids["drills"]


def test_no_texts_give_no_predictions(cold: Classifier, trained: Classifier) -> None:
    assert cold.predict([]) == []
    assert trained.predict([]) == []
