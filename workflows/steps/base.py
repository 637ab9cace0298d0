"""What a kind of step is, and what it may answer when it is run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from nexus.jobs.models import Job
from workflows.engine.step_kinds import JsonSchema

MAX_PRODUCTS = 100_000
PRODUCT_IDS: JsonSchema = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    "maxItems": MAX_PRODUCTS,
}
COUNT: JsonSchema = {"type": "integer", "minimum": 0}


class StepFailedError(Exception):
    """A step cannot do what it was asked. `final` says that another attempt would end in the same way."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class StepCancelledError(Exception):
    """The job that a step had handed its work to was cancelled."""


@dataclass(frozen=True, slots=True)
class Done:
    """The step has done its work; later steps read `output`."""

    output: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The step ends when `job` does; its output is then collected."""

    job: Job


@dataclass(frozen=True, slots=True)
class Waits:
    """The step ends when a person decides."""


Outcome = Done | HandedOver | Waits


@dataclass(frozen=True, slots=True)
class Task:
    """What a step may know beside its inputs.

    `key` is the same for all attempts of the step in its execution, and for no other step. `job` is the one that an
    attempt before this one handed the work to. `before` holds the outputs of the steps that
    this one needs, directly or not, the nearest first.
    """

    key: str
    user_id: int | None = None
    job: Job | None = None
    before: Sequence[Mapping[str, Any]] = ()

    def inherited_products(self) -> list[int]:
        """The products of the nearest step before this one that had any to give. Raises StepFailedError."""
        for output in self.before:
            if "product_ids" not in output:
                continue
            if output["product_ids"] is None:
                raise StepFailedError(
                    f"The step before had more than {MAX_PRODUCTS} products, too many to pass on.", final=True
                )
            return list(output["product_ids"])
        raise StepFailedError("No step before this one gives products; name them in 'products'.", final=True)


class StepKind(ABC):
    """A kind of step. Running one twice with the same inputs must do no harm."""

    uses: ClassVar[str]
    description: ClassVar[str]
    input_schema: ClassVar[JsonSchema]
    output_schema: ClassVar[JsonSchema]
    # Whether all that `run` does is in the database, and so happens together with the end of the step or not at all.
    transactional: ClassVar[bool] = True

    @abstractmethod
    def run(self, inputs: Mapping[str, Any], task: Task) -> Outcome:
        """Do the work. Raises StepFailedError, and Problem for inputs that do not fit the state of things."""

    def collect(self, job: Job) -> Mapping[str, Any]:
        """The output of a step whose job has ended. Raises StepFailedError or StepCancelledError."""
        raise NotImplementedError(f"{self.uses} hands nothing over")


def inputs_schema(*, required: Sequence[str] = (), **properties: JsonSchema) -> JsonSchema:
    """The schema of an object with these properties and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def outputs_schema(**properties: JsonSchema) -> JsonSchema:
    """The schema of an object that has all of these properties."""
    return inputs_schema(required=list(properties), **properties)
