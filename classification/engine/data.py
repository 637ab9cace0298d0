"""What goes into the engine and what comes out: plain values that know no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

AttributeValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Category:
    """A node of a taxonomy; ``code`` is unique in it, ``path`` is the names joined with `` > ``."""

    id: int
    code: str
    name: str
    path: str
    keywords: tuple[str, ...] = ()
    is_leaf: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """A product as the engine sees it."""

    name: str
    description: str = ""
    manufacturer: str = ""
    part_number: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Example:
    """A product whose category a person has decided; ``id`` is what the caller knows it by."""

    text: Text
    category_id: int
    id: int | None = None


class Candidate(NamedTuple):
    """A category that may be right, with the probability that it is."""

    category_id: int
    confidence: float


class Evidence(NamedTuple):
    """A term of the product's text and how much it spoke for the first answer."""

    term: str
    weight: float


class Neighbour(NamedTuple):
    """An example that resembles the text; ``similarity`` lies between 0 and 1."""

    example_id: int
    category_id: int
    similarity: float


class BackOff(NamedTuple):
    """A category above the leaves that is certain although the leaf is not, and the leaves below it that are open."""

    category_id: int
    confidence: float
    candidates: tuple[Candidate, ...]


class Reasons(Protocol):
    """Why an answer was given.

    ``evidence`` spoke for the answer, ``contrast`` is what spoke for it and against the runner-up, ``neighbours`` are
    the nearest examples of its category, and ``back_off`` is what is certain when the leaf is not.
    """

    @property
    def evidence(self) -> tuple[Evidence, ...]: ...

    @property
    def contrast(self) -> tuple[Evidence, ...]: ...

    @property
    def neighbours(self) -> tuple[Neighbour, ...]: ...

    @property
    def back_off(self) -> BackOff | None: ...


@dataclass(frozen=True, slots=True)
class GivenReasons:
    """Reasons that are known beforehand."""

    evidence: tuple[Evidence, ...] = ()
    contrast: tuple[Evidence, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    back_off: BackOff | None = None


class Prediction(NamedTuple):
    """The answer for one product; ``category_id`` is None when the text resembles nothing known.

    ``is_certain`` says that the answer may be taken without a reviewer under the promised precision. Reasons are
    worked out when asked for.
    """

    category_id: int | None
    confidence: float
    candidates: tuple[Candidate, ...]
    is_certain: bool
    reasons: Reasons = GivenReasons()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What spoke for the answer, strongest first."""
        return self.reasons.evidence

    @property
    def contrast(self) -> tuple[Evidence, ...]:
        """What spoke for the answer and against the runner-up, strongest first."""
        return self.reasons.contrast

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """The nearest examples of the answer's category."""
        return self.reasons.neighbours

    @property
    def back_off(self) -> BackOff | None:
        """What is certain when the leaf is not."""
        return self.reasons.back_off


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user of the engine decides: the share of certain answers that must be right."""

    promised_precision: float = 0.95

    def __post_init__(self) -> None:
        if not 0.0 < self.promised_precision < 1.0:
            raise ValueError("promised_precision must lie between 0 and 1")
