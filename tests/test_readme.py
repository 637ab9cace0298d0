"""README.md is true to the letter: its commands are run, and its answers are what comes back."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live import PROJECT, Live

README = PROJECT / "README.md"
TOUR = "## Five minutes with curl"
ADDRESS = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DECIMAL = re.compile(r"\d+\\\.\d+")


@dataclass(frozen=True)
class Stop:
    """Commands of the tour, and the answer that is shown below them."""

    commands: str
    answer: str


def stops(text: str) -> list[Stop]:
    """The commands of a text with their answers, in order."""
    blocks = BLOCK.findall(text)
    assert [kind for kind, _ in blocks[::2]] == ["sh"] * (len(blocks) // 2), (
        "each answer follows its commands"
    )
    return [
        Stop(commands, answer) for (_, commands), (_, answer) in zip(blocks[::2], blocks[1::2], strict=True)
    ]


def tour() -> list[Stop]:
    """The stops of README's tour."""
    return stops(README.read_text().partition(TOUR)[2].partition("\n## ")[0])


def is_answered_by(documented: str, output: str) -> bool:
    """Whether an output is what is documented: "…" stands for anything, and a measured decimal for any other."""
    pattern = re.escape(documented.strip()).replace("…", ".*?")
    return re.fullmatch(DECIMAL.sub(r"\\d+\\.\\d+", pattern), output.strip(), re.DOTALL) is not None


def take(tour: list[Stop], address: str, directory: Path) -> list[str]:
    """The outputs of the commands of a tour, in one shell, at an address. Raises AssertionError when one fails."""
    outputs = [directory / f"output-{number}" for number in range(len(tour))]
    script = "set -euo pipefail\n" + "".join(
        f"{{\n{stop.commands.replace(ADDRESS, address)}}} > {output}\n"
        for stop, output in zip(tour, outputs, strict=True)
    )
    shell = subprocess.run(
        ["bash"], input=script, cwd=directory, capture_output=True, text=True, timeout=90, check=False
    )
    told = [output.read_text().replace(address, ADDRESS) for output in outputs if output.exists()]
    assert shell.returncode == 0, f"The tour ends at stop {len(told)}:\n{told[-1:]}\n{shell.stderr}"
    return told


def test_the_tour_can_be_taken_as_it_is_written_and_taken_again(fresh_live: Live, tmp_path: Path) -> None:
    outputs = take(tour(), fresh_live.url, tmp_path)

    assert outputs
    for stop, output in zip(tour(), outputs, strict=True):
        assert is_answered_by(stop.answer, output), f"{stop.commands}\nsays\n{output}\nand not\n{stop.answer}"
    assert take(tour(), fresh_live.url, tmp_path)


@pytest.mark.parametrize(
    ("documented", "output", "same"),
    [
        ("active None", "active None\n", True),
        ("active None", "draft None\n", False),
        ("active", "active\nactive\n", False),
        ('{"id": …, "confidence": 0.97}', '{"id": 7, "confidence": 0.4}', True),
        ('{"id": …, "status": 401}', '{"id": 7, "status": 403}', False),
        ("991 products", "992 products", False),
    ],
)
def test_an_answer_is_compared_to_the_letter_but_for_what_is_left_out(
    documented: str, output: str, same: bool
) -> None:
    assert is_answered_by(documented, output) is same


def test_a_command_that_fails_ends_the_tour(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ends at stop 2"):
        take([Stop("echo one\n", "one"), Stop("false\necho two\n", "two")], ADDRESS, tmp_path)


def test_readme_names_the_two_commands() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)`", README.read_text())) == {"run", "test"}
    assert {"run", "test"} <= targets
