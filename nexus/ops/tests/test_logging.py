"""Log lines as a collector and as a human reads them."""

import contextlib
import io
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from celery.signals import setup_logging

from nexus.ops import logging as ops_logging
from nexus.ops.context import work_context
from nexus.ops.tests.conftest import LogLines

logger = logging.getLogger("nexus.test")

# Ends of lines, terminal sequences, and characters that turn the text around.
EVIL = "a\nb\r\x1b[2Jc\x00d\x7fe\x85f\x9bg\u2028h\u202ei"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@contextlib.contextmanager
def terminal() -> Iterator[Terminal]:
    """A terminal that reads the log."""
    with contextlib.redirect_stderr(Terminal()) as stream:
        ops_logging.configure({"level": "INFO"})
        yield stream
    ops_logging.configure({"level": "INFO"})


def test_a_line_says_when_how_bad_who_and_what(log_lines: LogLines) -> None:
    logger.warning("%s of %s", 3, "four", extra={"kind": "import"})
    (line,) = log_lines()
    assert datetime.fromisoformat(line.pop("time")).utcoffset() is not None
    assert line == {"level": "WARNING", "logger": "nexus.test", "message": "3 of four", "kind": "import"}


def test_a_line_names_the_request_the_user_and_the_job_at_work(log_lines: LogLines) -> None:
    with work_context(request_id="the-request", user=7, job="the-job"):
        logger.info("working")
    (line,) = log_lines()
    assert (line["request_id"], line["user"], line["job"]) == ("the-request", 7, "the-job")


@pytest.mark.django_db
def test_the_line_of_a_refused_request_names_the_user(
    log_lines: LogLines, client_of: Any, viewer: Any
) -> None:
    assert client_of(viewer).post("/api/v1/products", {}).status_code == 403
    assert log_lines()[-1]["user"] == viewer.pk


def test_an_exception_is_part_of_the_same_line(log_lines: LogLines) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("It failed")
    (line,) = log_lines()
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: broken")


@pytest.mark.parametrize("value", ["\ud800", 2**70, {("a", 1): object()}, {1: 2}, b"bytes"])
def test_whatever_is_logged_makes_a_line(log_lines: LogLines, value: Any) -> None:
    logger.info("odd", extra={"value": value})
    (line,) = log_lines()
    assert line["message"] == "odd"
    assert "value" in line


def test_nothing_that_is_logged_can_begin_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    ops_logging.configure({"level": "INFO"})
    logger.info("%s", EVIL, extra={"value": EVIL})
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert not ops_logging.UNPRINTABLE.search(written.removesuffix("\n"))


def test_a_terminal_gets_plain_coloured_lines() -> None:
    with terminal() as screen, work_context(request_id="the-request"):
        logger.error("It failed", extra={"kind": "import"})
    line = screen.getvalue()
    assert "\x1b[31mERROR" in line
    assert "nexus.test: It failed" in line
    assert "request_id=the-request kind=import" in line


def test_a_terminal_is_not_taken_over_by_what_is_logged() -> None:
    with terminal() as screen:
        logger.info("%s", EVIL, extra={"value": EVIL})
    line = screen.getvalue()
    assert len(line.splitlines()) == 1
    assert "\x1b[2J" not in line


def test_a_traceback_on_a_terminal_is_indented() -> None:
    with terminal() as screen:
        try:
            raise ValueError("first\n12:00:00 INFO a forged line")
        except ValueError:
            logger.exception("It failed")
    first, *others = screen.getvalue().splitlines()
    assert "It failed" in first
    assert others
    assert all(line.startswith("    ") for line in others)


def test_configuring_twice_does_not_log_twice(log_lines: LogLines) -> None:
    ops_logging.configure({"level": "INFO"})
    logger.info("once")
    assert len(log_lines()) == 1


def test_the_level_is_that_of_the_settings(log_lines: LogLines) -> None:
    ops_logging.configure({"level": "ERROR"})
    logger.warning("unheard")
    assert log_lines() == []


def test_celery_leaves_logging_alone() -> None:
    assert setup_logging.receivers
