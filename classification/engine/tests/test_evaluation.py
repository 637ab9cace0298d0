"""The figures of an evaluation, on answers that are small enough to count by hand."""

import gzip
import json
from pathlib import Path

import pytest

from classification.engine import Candidate, Prediction
from classification.engine.evaluation import quality
from classification.engine.records import categories_of_labels, read_records

CATEGORIES = categories_of_labels(["Tools > Drills", "Tools > Saws", "Tools", "Safety > Masks"])
IDS = {category.path: category.id for category in CATEGORIES}


def answer(*paths: str, confidence: float = 0.9, certain: bool = False) -> Prediction:
    candidates = tuple(Candidate(IDS[path], confidence / place) for place, path in enumerate(paths, start=1))
    return Prediction(candidates[0].category_id, confidence, candidates, certain)


NOTHING = Prediction(None, 0.0, (), False)


def test_every_label_may_be_answered_and_the_nodes_above_are_there() -> None:
    answerable = [category.path for category in CATEGORIES if category.is_leaf]
    assert answerable == ["Safety > Masks", "Tools", "Tools > Drills", "Tools > Saws"]
    assert [category.path for category in CATEGORIES if not category.is_leaf] == ["Safety"]


def test_answers_are_counted_against_the_labels() -> None:
    labels = ["Tools > Drills", "Tools > Drills", "Tools > Saws", "Safety > Masks"]
    found = quality(
        CATEGORIES,
        labels,
        [
            answer("Tools > Drills", certain=True),
            answer("Tools > Saws", "Tools > Drills", certain=True),
            answer("Tools > Saws", confidence=0.5),
            NOTHING,
        ],
    )
    assert found == {
        "top1": 0.5,
        "top5": 0.75,
        # Drills 2/3, saws 2/3, masks 0.
        "macro_f1": 0.4444,
        # At .9 one of two is right, at .5 one of one, at 0 none: (2 * .4 + 1 * .5) / 4.
        "ece": 0.325,
        "coverage_at_95_precision": 0.0,
        "promised95_coverage": 0.5,
        "promised95_precision": 0.5,
        "abstained": 0.25,
    }


def test_nothing_certain_has_no_precision() -> None:
    assert quality(CATEGORIES, ["Tools"], [NOTHING])["promised95_precision"] is None


def test_a_label_that_nobody_can_answer_is_an_error_and_no_answer_does_not_meet_it() -> None:
    found = quality(CATEGORIES, ["Garden > Hoses"] * 2, [answer("Tools"), NOTHING])
    assert (found["top1"], found["top5"], found["macro_f1"]) == (0.0, 0.0, 0.0)


def test_an_answer_below_the_label_is_right_unless_it_is_a_label_itself() -> None:
    below = [answer("Tools > Drills")]
    assert quality(CATEGORIES, ["Tools"], below)["top1"] == 1.0
    assert quality(CATEGORIES, ["Tools"], below, ["Tools > Drills"])["top1"] == 0.0


@pytest.mark.parametrize("opened", [open, gzip.open])
def test_products_are_read_from_json_lines(tmp_path: Path, opened: object) -> None:
    row = {
        "title": "Combi drill",
        "brand": "Makita",
        "attributes": {"volts": 18, "sizes": [1, 2], "colour": None},
        "category": ["Tools", "Drills"],
    }
    with opened(tmp_path / "rows.jsonl", "wt") as file:  # type: ignore[operator]
        file.write(json.dumps(row) + "\n\n" + '{"title": "Saw", "category": "Saws"}\n')
    drill, saw = read_records(tmp_path / "rows.jsonl")
    assert (drill.label, saw.label) == ("Tools > Drills", "Saws")
    assert (drill.text.manufacturer, drill.text.attributes) == ("Makita", {"volts": 18, "sizes": "[1, 2]"})


@pytest.mark.parametrize("line", ["[]", '{"title": 7}', "{"])
def test_a_line_that_is_no_product_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"title": "Saw"}\n' + line)
    with pytest.raises(ValueError, match="line 2"):
        list(read_records(file))
