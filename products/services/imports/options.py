"""What the user of an import has asked for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from products.files.layouts import Layout

ADD, CHANGE = "products.add_product", "products.change_product"
CREATE, UPDATE, UPSERT = MODES = ("create", "update", "upsert")
IGNORE, TO_ATTRIBUTES = UNMAPPED = ("ignore", "attributes")


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be read, and what is to be done with its rows.

    `mapping` adds to what is guessed, or with `profile` to what that profile says; an empty target takes a column out.
    `unmapped` says what becomes of columns that nothing maps. Whatever is None is guessed.
    """

    mode: str = UPSERT
    dry_run: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    save_profile: str = ""
    delimiter: str | None = None
    encoding: str | None = None
    header: bool | None = None
    taxonomy: str = ""
    unmapped: str = IGNORE


def permissions_for(mode: str) -> tuple[str, ...]:
    """What a user needs to import in a mode."""
    return {CREATE: (ADD,), UPDATE: (CHANGE,)}.get(mode, (ADD, CHANGE))


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a job needs to know of its file: kept in its parameters."""

    mode: str
    dry_run: bool
    layout: Layout
    mapping: dict[str, str]
    taxonomy: str

    def as_json(self) -> dict[str, Any]:
        """For the parameters of a job."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Plan":
        """What `as_json` gave."""
        given = {one.name: value[one.name] for one in fields(cls)}
        return cls(**{**given, "layout": Layout.from_json(value["layout"])})
