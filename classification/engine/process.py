"""Fitting in a process of its own, which may not grow beyond its limits: ``python -m classification.engine.process``.

It reads JSON lines: first ``{"parent", "memory_bytes", "seconds", "promised_precision"}``, then ``{"category": ...}``,
``{"example": ..., "held": bool}`` and ``{"unlabelled": ...}`` in any order, with the fields of `data`.
It writes one JSON line, ``{"metrics", "held": [[category id or null, confidence], ...]}``, and after it the bytes of
the artefact; or one line ``{"error"}``.

``held`` are the answers about the examples that are held back, in their order, by a classifier that was fitted
without them. The artefact is fitted on all examples.

``parent`` is the process that began it and reads the outcome. When it dies, so does this one: somebody else will begin
again, and two at once would need twice the memory.
"""

import json
import os
import resource
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Thread
from time import sleep
from typing import Any, BinaryIO

from classification.engine.classifier import Classifier, fit
from classification.engine.data import Category, Example, Settings, Text

TOO_LARGE = "out of memory"
# Between two looks at whether the parent is still there.
PAUSE_S = 0.5


@dataclass(slots=True)
class Material:
    """What a classifier is made of."""

    settings: Settings
    categories: list[Category] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    held: list[Example] = field(default_factory=list)
    unlabelled: list[Text] = field(default_factory=list)

    def add(self, line: dict[str, Any]) -> None:
        """Take over one line."""
        if "example" in line:
            given = line["example"]
            example = Example(Text(**given["text"]), given["category_id"], given["id"])
            (self.held if line["held"] else self.examples).append(example)
        elif "unlabelled" in line:
            self.unlabelled.append(Text(**line["unlabelled"]))
        else:
            given = line["category"]
            self.categories.append(Category(**given | {"keywords": tuple(given["keywords"])}))


def main(source: BinaryIO, target: BinaryIO) -> None:
    """Read, fit, write."""
    try:
        target.write(_fitted(source))
    except MemoryError:
        target.write(_line({"error": TOO_LARGE}))
    except ValueError as error:
        target.write(_line({"error": str(error)}))


def _fitted(source: Iterable[bytes]) -> bytes:
    lines = map(json.loads, source)
    head = next(lines)
    Thread(target=end_with, args=[head["parent"]], daemon=True).start()
    limit(head["memory_bytes"], head["seconds"])
    material = Material(Settings(promised_precision=head["promised_precision"]))
    for line in lines:
        material.add(line)
    held = _answers(_fit(material, material.examples), material.held) if material.held else []
    classifier = _fit(material, material.examples + material.held)
    return _line({"metrics": classifier.metrics, "held": held}) + classifier.to_bytes()


def end_with(parent: int) -> None:
    """End this process as soon as it has another parent, which it gets when its own has died."""
    while os.getppid() == parent:
        sleep(PAUSE_S)
    os._exit(os.EX_TEMPFAIL)


def limit(memory_bytes: int, seconds: int) -> None:
    """Never let this process have more memory, or compute longer, than this."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    bounded = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bounded, most))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _fit(material: Material, examples: Sequence[Example]) -> Classifier:
    return fit(material.categories, examples, material.unlabelled, material.settings)


def _answers(classifier: Classifier, held: Sequence[Example]) -> list[tuple[int | None, float]]:
    found = classifier.predict([example.text for example in held], top_k=1)
    return [(prediction.category_id, prediction.confidence) for prediction in found]


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
