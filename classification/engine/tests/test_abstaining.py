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
