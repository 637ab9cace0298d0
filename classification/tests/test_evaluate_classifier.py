"""``manage.py evaluate_classifier``: it asks no database, so none is there."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

KEYS = {
    "peer", "products", "classes", "top1", "top5", "macro_f1", "ece", "coverage_at_95_precision",
    "promised95_coverage", "promised95_precision", "train_s", "predict_per_s", "latency_ms", "model_mb",
    "peak_rss_mb", "abstained",
}  # fmt: skip
PRODUCTS = [
    {"title": f"{maker} {name} {size} mm", "brand": maker, "category": category}
    for maker in ("Acme", "Brunel", "Corvid")
    for size in (5, 8)
    for name, category in (
        ("combi drill", ["Tools", "Drills"]),
        ("plunge saw", ["Tools", "Saws"]),
        ("dust mask", ["Safety", "Masks"]),
    )
]
TAXONOMY = (
    "code,parent,name,keywords\nt,,Tools,\nt.d,t,Drills,combi drill\nt.s,t,Saws,plunge saw\ns,,Safety,\n"
)


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return written(tmp_path / "train.jsonl", PRODUCTS)


@pytest.fixture
def test(tmp_path: Path) -> Path:
    return written(tmp_path / "test.jsonl", [{"title": "Delta combi drill", "category": ["Tools", "Drills"]}])


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def evaluate(*arguments: object) -> tuple[dict[str, Any], str]:
    """The one line that it prints, and what it says meanwhile."""
    out, err = io.StringIO(), io.StringIO()
    call_command("evaluate_classifier", *map(str, arguments), stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def test_it_learns_from_one_file_and_is_tested_on_the_other(train: Path, test: Path) -> None:
    figures, said = evaluate(train, test)
    assert figures.keys() == KEYS
    assert (figures["peer"], figures["products"], figures["classes"]) == ("nexus", 18, 3)
    assert (figures["top1"], figures["abstained"]) == (1.0, 0.0)
    assert "1 products tested: 100.0% right at first" in said


def test_a_cold_one_knows_the_categories_alone(train: Path, test: Path) -> None:
    assert evaluate(train, test, "--cold")[0].keys() == KEYS


def test_a_taxonomy_of_ones_own_is_answered_at_the_level_of_the_labels(train: Path, tmp_path: Path) -> None:
    taxonomy = tmp_path / "taxonomy.csv"
    taxonomy.write_text(TAXONOMY)
    test = written(
        tmp_path / "test.jsonl",
        [{"title": "Combi drill", "category": "t.d"}, {"title": "Plunge saw", "category": ["Tools"]}],
    )
    figures, _ = evaluate(train, test, "--cold", "--taxonomy", taxonomy)
    assert figures["classes"] == 3
    assert figures["top5"] >= 0.5


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ("", [], "no product with a category"),
        ("{}", [], "line 1"),
        ('{"title": "Saw", "category": "Saws"}', ["--promised", "2"], "promised_precision"),
        ('{"title": "Saw", "category": "Saws"}', ["--taxonomy", "/no/such/file"], "No such file"),
    ],
)
def test_what_cannot_be_measured_is_explained(
    tmp_path: Path, test: Path, lines: str, options: list[str], message: str
) -> None:
    train = tmp_path / "train.jsonl"
    train.write_text(lines)
    with pytest.raises(CommandError, match=message):
        evaluate(train, test, *options)
