"""What comes out of a file: rows of categories, and what is wrong with it by line."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN_VALUE = 80


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A category as a file gives it: its parent by code, an empty one at the root.

    Keywords and a description that are None are not told by the file, and stay as they are.
    """

    code: str
    name: str
    parent: str = ""
    keywords: Sequence[str] | None = ()
    description: str | None = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Issue:
    """A mistake in a file: where it is (lines from 1, 0 for the file as a whole), why it is one, and what mends it."""

    line: int
    column: str
    code: str
    value: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return f"Line {self.line}, {self.column} {self.shown_value!r}: {self.reason} {self.mend}"

    @property
    def shown_value(self) -> str:
        """The value, cut where it would fill a page."""
        return self.value if len(self.value) <= SHOWN_VALUE else f"{self.value[:SHOWN_VALUE]}…"

    def as_document(self) -> dict[str, Any]:
        """The mistake as reports show it."""
        return {**asdict(self), "value": self.shown_value}


class UnreadableFileError(Exception):
    """A file of which nothing can be read; `code` is for programs, the text for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(slots=True)
class Reading:
    """The rows of a file, what is wrong with it, and the version that it says it is."""

    rows: list[CategoryRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    version: str = ""

    def note(self, line: int, column: str, code: str, value: str, reason: str, mend: str) -> None:
        """Keep a mistake, and go on."""
        self.issues.append(Issue(line, column, code, value, reason, mend))
