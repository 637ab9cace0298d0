"""The one shape in which the engine says what is wrong with a definition or with the inputs of a step."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

MAX_DETAIL_LENGTH = 400
MAX_ERRORS_IN_MESSAGE = 10


@dataclass(frozen=True, slots=True)
class DefinitionError:
    """One fault: where (RFC 6901 JSON pointer), what kind (stable code), and a sentence for a reader."""

    pointer: str
    code: str
    detail: str

    @classmethod
    def at(cls, path: Iterable[str | int], code: str, detail: str) -> Self:
        """Make an error for the place reached by a path of keys and indexes; long details are cut."""
        if len(detail) > MAX_DETAIL_LENGTH:
            detail = detail[: MAX_DETAIL_LENGTH - 1] + "…"
        return cls(json_pointer(path), code, detail)


class InvalidInputsError(ValueError):
    """The inputs of a step, with their expressions resolved, do not fit the schema of its kind."""

    def __init__(self, errors: list[DefinitionError]) -> None:
        told = [f"{error.pointer}: {error.detail}" for error in errors[:MAX_ERRORS_IN_MESSAGE]]
        more = len(errors) - len(told)
        super().__init__("; ".join(told) + (f"; and {more} more" if more else ""))
        self.errors = errors


def json_pointer(path: Iterable[str | int]) -> str:
    """Write a path of keys and indexes as a JSON pointer (RFC 6901): `~` is `~0`, `/` is `~1`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
