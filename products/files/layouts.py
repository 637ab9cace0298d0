"""How a file of products is to be read: what it says of itself, what was guessed, and what the user has given."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# A cell as a file has it: a text, or what a spreadsheet or JSON knows besides.
Cell = Any
# What a row is: its cells in order of the columns, or in JSON lines an object.
Cells = list[Cell] | dict[str, Cell]

MAX_COLUMNS = 500
# The longest cell, in characters. Attributes of a product, the longest that is written, stay below half of it.
MAX_CELL = 1_000_000
# The longest row, in characters.
MAX_ROW = 4_000_000
# What a compressed file may hold: enough for 10 million rows, and too little to fill a machine.
MAX_UNPACKED = 16 * 2**30


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its number as a spreadsheet or an editor counts, and its cells.

    `fault` is the code and the reason where it could not be read.
    """

    number: int
    cells: Cells
    fault: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two rows of a text: `number` is that of the row before it.

    `offset` is what `tell` says there. In a text that is the state of its decoder as well, so it may be a large number.
    """

    offset: int
    number: int


@dataclass(frozen=True, slots=True)
class Given:
    """What the user says of a file; what is None is guessed."""

    delimiter: str | None = None
    encoding: str | None = None
    header: bool | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is read. `columns` are the names in its header, made unique; ``column 1`` and so on without one.

    In JSON lines they are the names in the first rows, and others may follow.
    """

    format: str
    compressed: bool
    columns: list[str]
    encoding: str = ""
    delimiter: str = ""
    header: bool = True

    def as_json(self) -> dict[str, Any]:
        """For the parameters of a job, and to be shown."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Layout":
        """What `as_json` gave."""
        return cls(**value)


def unique_names(cells: list[Cell]) -> list[str]:
    """Names of columns from the cells of a header: trimmed, none empty, none twice."""
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = ("" if cell is None else str(cell)).strip() or f"column {position}"
        names.append(name if name not in names else f"{name} ({position})")
    return names
