"""`approval`: the execution waits for a person."""

from collections.abc import Mapping
from typing import Any

from accounts.roles import ADMINISTRATOR, REVIEWER
from workflows.steps.base import StepKind, Task, Waits, inputs_schema, outputs_schema


class Approval(StepKind):
    """Waits for somebody to approve or reject."""

    uses = "approval"
    description = (
        "Waits until a user with the role, or a higher one, approves or rejects. Approved, it succeeds; rejected, it "
        "fails, and what needs it is skipped. It waits as long as it takes: `timeout_s` does not apply."
    )
    input_schema = inputs_schema(
        role={"enum": [REVIEWER, ADMINISTRATOR], "default": REVIEWER},
        message={"type": "string", "maxLength": 2000, "description": "What the approver should know."},
    )
    output_schema = outputs_schema(
        approved={"type": "boolean"},
        decided_by={"type": ["integer", "null"], "description": "The id of the user."},
        note={"type": "string"},
    )

    def run(self, inputs: Mapping[str, Any], task: Task) -> Waits:
        """Begin to wait."""
        return Waits()
