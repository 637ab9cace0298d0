"""Fitting a classifier in a process of its own, so that one that grows too large ends alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from tempfile import TemporaryFile
from threading import Timer
from typing import Any

from django.conf import settings
from django.db import transaction

from classification import engine
from classification.engine.process import TOO_LARGE
from nexus.api.renderers import to_json
from nexus.jobs.cancellation import raise_if_cancelled

COMMAND = [sys.executable, "-m", "classification.engine.process"]
# Threads that compute at once need no more wall-clock time than one, but as often the processor's.
PROCESSOR_SECONDS_A_SECOND = 8


class FittingError(Exception):
    """A classifier could not be fitted, and would not be the next time either; the text says why."""


@dataclass(frozen=True, slots=True)
class Held:
    """An example, and whether it is held back to compare two classifiers on."""

    example: engine.Example
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """A classifier as bytes, its figures, and the answers about what was held back: category id and confidence."""

    artefact: bytes
    metrics: dict[str, Any]
    held: list[tuple[int | None, float]]


def fit(
    categories: Iterable[engine.Category],
    labelled: Iterable[Held],
    unlabelled: Iterable[engine.Text],
    promised_precision: float,
) -> Fitted:
    """Fit within the limits of the settings. What is read from the iterables is passed on at once, and not kept.

    Raises FittingError, and Cancelled when its job is asked to stop.
    """
    with TemporaryFile() as errors, TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603
            COMMAND, stdin=subprocess.PIPE, stdout=output, stderr=errors, cwd=settings.BASE_DIR
        )
        alarm = Timer(settings.TRAINING_SECONDS, process.kill)
        alarm.start()
        try:
            assert process.stdin
            # One transaction for the reading, so that cursors are streamed; none while the process computes.
            with transaction.atomic(), suppress(BrokenPipeError), process.stdin:
                process.stdin.writelines(_lines(categories, labelled, unlabelled, promised_precision))
            _wait_for(process)
            was_in_time = alarm.is_alive()
        finally:
            alarm.cancel()
            process.kill()
            process.wait()
        output.seek(0)
        errors.seek(0)
        return _read(output.readline(), output.read(), process.returncode, errors.read(), was_in_time)


def _wait_for(process: "subprocess.Popen[bytes]") -> None:
    """Wait until a process ends. Raises Cancelled when somebody does not want its outcome any more."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
            return
        raise_if_cancelled()


def _lines(
    categories: Iterable[engine.Category],
    labelled: Iterable[Held],
    unlabelled: Iterable[engine.Text],
    promised_precision: float,
) -> Iterator[bytes]:
    yield _line(
        {
            "parent": os.getpid(),
            "memory_bytes": settings.TRAINING_MEMORY_BYTES,
            "seconds": settings.TRAINING_SECONDS * PROCESSOR_SECONDS_A_SECOND,
            "promised_precision": promised_precision,
        }
    )
    for category in categories:
        yield _line({"category": asdict(category)})
    for one in labelled:
        yield _line({"example": asdict(one.example), "held": one.is_held})
    for text in unlabelled:
        yield _line({"unlabelled": asdict(text)})


def _line(value: dict[str, Any]) -> bytes:
    return to_json(value) + b"\n"


def _read(head: bytes, artefact: bytes, code: int, errors: bytes, was_in_time: bool) -> Fitted:
    if not was_in_time:
        raise FittingError(f"The training took longer than {settings.TRAINING_SECONDS} seconds.")
    try:
        answer = json.loads(head)
    except ValueError:
        raise _death(code, errors) from None
    if answer.get("error") == TOO_LARGE:
        raise _too_large()
    if "error" in answer:
        raise FittingError(f"The training failed: {answer['error']}.")
    return Fitted(artefact, answer["metrics"], [(pk, confidence) for pk, confidence in answer["held"]])


def _death(code: int, errors: bytes) -> Exception:
    """Libraries that get no memory end their process in ways of their own, as the system does that runs out of it."""
    if b"MemoryError" in errors:
        return _too_large()
    if code < 0:
        return FittingError(
            f"The training was ended by signal {-code}, most likely because it needed more memory than the "
            f"{_allowed_megabytes()} MB that it may have."
        )
    return RuntimeError(
        f"The process that trains has ended with {code}: {errors[-2000:].decode(errors='replace')}"
    )


def _too_large() -> FittingError:
    return FittingError(
        f"The training needed more memory than the {_allowed_megabytes()} MB that it may have."
    )


def _allowed_megabytes() -> int:
    return settings.TRAINING_MEMORY_BYTES // settings.MEBIBYTE
