"""The classifier beside its peers: the same files, the same figures, one run.

    python -m benchmarks.classifier --data FOLDER --peers FOLDER [--rounds 1] [--only sklearn-char] NAME [NAME:title]

`--data` holds NAME.train.jsonl.gz and NAME.test.jsonl.gz for every NAME; NAME:title measures with the titles alone.
`--peers` holds classifier_peers.py, a script that prints one JSON line a peer with the keys of
``manage.py evaluate_classifier``; `--python` is the Python that has the peers' requirements. Nexus and the peers take
turns, each in a process of its own with one thread; with several rounds, the fastest time and the greatest speed count.
Prints a table for each set and one JSON line at the end.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PEERS = ("sklearn-word", "sklearn-char", "sklearn-cnb", "fasttext", "vowpalwabbit", "napkinxc-ovr")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Development's settings start a PostgreSQL and a Redis unless they are told of some; neither is asked here.
NO_SERVICES = {
    "NEXUS_ENVIRONMENT": "development",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
COLUMNS = {
    "top1": "top-1",
    "top5": "top-5",
    "macro_f1": "F1",
    "ece": "ECE",
    "coverage_at_95_precision": "cover@95",
    "promised95_coverage": "certain",
    "promised95_precision": "right",
    "train_s": "train s",
    "predict_per_s": "per s",
    "latency_ms": "ms",
    "model_mb": "MB",
    "peak_rss_mb": "RSS MB",
}
LESS_IS_BETTER = ("train_s", "latency_ms")
Figures = dict[str, Any]


def main() -> None:
    """Print the figures of every set."""
    given = arguments()
    found: dict[str, list[Figures]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in given.sets:
            files = [data_file(given.data, name, part, Path(folder)) for part in ("train", "test")]
            rounds = [list(measured(files, given)) for _ in range(given.rounds)]
            found[name] = [best(list(same)) for same in zip(*rounds, strict=True)]
            print_table(name, found[name])
    print(json.dumps(found))


def arguments() -> argparse.Namespace:
    """What to measure, and with what."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="NAME")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="without it, Nexus alone is measured")
    parser.add_argument("--only", default=",".join(PEERS), help="names of peers, separated by commas")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=1)
    return parser.parse_args()


def data_file(folder: Path, name: str, part: str, scratch: Path) -> Path:
    """The file of a set; for NAME:title a copy of it in `scratch` that holds nothing but titles."""
    name, _, only = name.partition(":")
    path = folder / f"{name}.{part}.jsonl.gz"
    if only != "title":
        return path
    copy = scratch / f"{name}-title.{part}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as source, gzip.open(copy, "wt", encoding="utf-8") as target:
        for line in source:
            row = json.loads(line)
            target.write(json.dumps({"title": row["title"], "category": row["category"]}) + "\n")
    return copy


def measured(files: list[Path], given: argparse.Namespace) -> Iterator[Figures]:
    """The figures of Nexus and then of each peer."""
    names = [str(file) for file in files]
    yield run([sys.executable, "manage.py", "evaluate_classifier", *names], "nexus")
    for peer in given.only.split(",") if given.peers else ():
        yield run([given.python, str(given.peers / "classifier_peers.py"), *names, "--peers", peer], peer)


def run(command: list[str], name: str) -> Figures:
    """The last JSON line that a command prints, or why there is none."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | ONE_THREAD | NO_SERVICES, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
    figures: Figures = json.loads(lines[-1]) if lines else {"peer": name, "skipped": reason}
    return figures


def best(same: list[Figures]) -> Figures:
    """The figures of one peer over all rounds: quality as in the first, times and speeds at their best."""
    whole = [figures for figures in same if "skipped" not in figures]
    if not whole:
        return same[0]
    times = {name: min(figures[name] for figures in whole) for name in LESS_IS_BETTER}
    return whole[0] | times | {"predict_per_s": max(figures["predict_per_s"] for figures in whole)}


def print_table(name: str, found: list[Figures]) -> None:
    """A row a peer."""
    print(f"\n{name}\n{'':14}" + "".join(f"{title:>10}" for title in COLUMNS.values()))
    for figures in found:
        if "skipped" in figures:
            print(f"{figures['peer']:14}  skipped: {figures['skipped']}")
            continue
        cells = ("-" if figures[key] is None else f"{figures[key]:g}" for key in COLUMNS)
        print(f"{figures['peer']:14}" + "".join(f"{cell:>10}" for cell in cells))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
