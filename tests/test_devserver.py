"""What ``make run`` does when one of its parts ends."""

import signal

import pytest

from nexus import devserver
from nexus.devserver import Part


@pytest.fixture
def part() -> Part:
    """A part whose process has ended."""
    part = Part("The part", ["this", "--version"], signal.SIGTERM)
    part.start()
    part.process.wait()
    return part


def test_a_part_that_has_run_for_a_while_is_started_again(
    part: Part, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devserver, "LASTING_SECONDS", 0)
    before = part.process

    part.check()

    assert part.process is not before
    assert part.process.wait() == 0
    assert "The part has ended (exit code 0), and is started again." in capfd.readouterr().err


def test_a_part_that_ends_at_once_ends_everything(part: Part) -> None:
    with pytest.raises(SystemExit, match=r"The part has ended \(exit code 0\), so everything stops"):
        part.check()


def test_a_part_that_runs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part("The part", ["http.server", "0", "--bind", "127.0.0.1"], signal.SIGTERM)
    part.start()
    before = part.process
    try:
        part.check()
        assert part.process is before
    finally:
        before.kill()
        before.wait()
