"""How the classifier grows: time and memory of training, loading and predicting on catalogues made up for it.

    python -m benchmarks.classifier_scale PRODUCTS CATEGORIES [--taxonomy FILE] [--description 200]

Products are sentences of words that their category likes and of words that all categories have, so accuracy says
little here; sizes are what is measured. ``--taxonomy`` takes a file of lines "id : path" (Shopify's published form) or
"id - path" (Google's), and trains on products for the leaves of it.
"""

import argparse
import json
import multiprocessing
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from classification.engine import Category, Classifier, Example, Text, fit
from classification.engine.evaluation import timed_answers

_LINE = re.compile(r"^\S+\s+(?:-|:) (.+)$")
_SYLLABLES = [f"{one}{two}" for one in "bdfgklmnprstv" for two in "aeiou"]
_SIZES = ("12v", "18v", "m8", "m10", "25mm", "100mm", "2.5m", "500ml", "10pc", "1/2in", "32a", "ip65")


def made_up_categories(count: int, chance: random.Random) -> list[Category]:
    """A tree of three levels with ``count`` leaves."""
    above = max(1, round(count**0.5))
    inner = [
        Category(count + number + 1, f"G{number}", _words(chance, 2), "", (), False)
        for number in range(above)
    ]
    inner = [Category(one.id, one.code, one.name, f"All > {one.name} {one.code}", (), False) for one in inner]
    return inner + [
        Category(number + 1, f"C{number}", name, f"{inner[number % above].path} > {name}", (), True)
        for number, name in enumerate(_words(chance, 2) for _ in range(count))
    ]


def read_categories(path: Path) -> list[Category]:
    """The categories of a published file of paths."""
    matches = (_LINE.match(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
    paths = [match.group(1) for match in matches if match]
    parents = {one.rpartition(" > ")[0] for one in paths}
    return [
        Category(number, str(number), one.rpartition(" > ")[2], one, (), one not in parents)
        for number, one in enumerate(paths, start=1)
    ]


def _words(chance: random.Random, count: int) -> str:
    return " ".join("".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(count))


def products(
    leaves: Sequence[Category], count: int, description: int, chance: random.Random
) -> Iterator[tuple[Text, int]]:
    """Titles of about 50 characters, each with the id of its category, and descriptions of as many characters."""
    liked = {leaf.id: [*leaf.name.lower().split(), *_words(chance, 4).split()] for leaf in leaves}
    common = _words(chance, 400).split()
    for number in range(count):
        leaf = leaves[number % len(leaves)] if number < 2 * len(leaves) else chance.choice(leaves)
        words = chance.choices(liked[leaf.id], k=3) + chance.choices(common, k=3) + [chance.choice(_SIZES)]
        chance.shuffle(words)
        text = " ".join(chance.choices(common + liked[leaf.id] * 5, k=description // 6))
        yield Text(f"{' '.join(words)} {number % 9973}", text[:description]), leaf.id


def peak() -> int:
    """The most memory that this process has had, in megabytes.

    Not from getrusage, whose maximum a new process inherits from the one that starts it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def served(data: bytes, texts: Sequence[Text]) -> int:
    """The most memory of a process that loads a classifier and answers, in megabytes."""
    timed_answers(Classifier.from_bytes(data), texts)
    return peak()


def memory_of_serving(data: bytes, texts: Sequence[Text]) -> int:
    """The same of a new process, which has not trained."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(served, (data, texts))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("products", type=int)
    parser.add_argument("categories", type=int, nargs="?", default=1_000)
    parser.add_argument("--taxonomy", type=Path)
    parser.add_argument("--description", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(7)
    categories = (
        read_categories(given.taxonomy) if given.taxonomy else made_up_categories(given.categories, chance)
    )
    leaves = [category for category in categories if category.is_leaf]
    made = list(products(leaves, given.products + 5_000, given.description, chance))
    train, test = made[5_000:], made[:5_000]
    before = peak()
    started = time.perf_counter()
    classifier = fit(categories, [Example(text, label, number) for number, (text, label) in enumerate(train)])
    train_s = time.perf_counter() - started
    trained_at = peak()
    data = classifier.to_bytes()
    started = time.perf_counter()
    classifier = Classifier.from_bytes(data)
    load_s = time.perf_counter() - started
    answers = timed_answers(classifier, [text for text, _ in test])
    pairs = list(zip(answers.predictions, (label for _, label in test), strict=True))
    figures = {
        "products": given.products,
        "leaves": len(leaves),
        "train_s": round(train_s, 1),
        "products_mb": before,
        "peak_mb": trained_at,
        "artefact_mb": round(len(data) / 1e6, 2),
        "load_s": round(load_s, 2),
        "serving_mb": memory_of_serving(data, [text for text, _ in test]),
        "predict_per_s": round(answers.per_second),
        "latency_ms": round(answers.latency_ms, 2),
        "top1": round(sum(found.category_id == label for found, label in pairs) / len(pairs), 4),
        "certain": round(sum(found.is_certain for found in answers.predictions) / len(pairs), 4),
        "backed_off": sum(found.back_off is not None for found in answers.predictions),
    }
    for name, value in figures.items():
        print(f"{name:16} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
