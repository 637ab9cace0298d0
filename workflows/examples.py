"""Examples for the OpenAPI schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

EXECUTION_ID = "7d1f0a52-3f6e-4a0e-9d2b-6f1c2b3a4d5e"
JOB_ID = "2b3a4d5e-9d2b-4a0e-8f6e-7d1f0a526f1c"

DEFINITION: dict[str, Any] = {
    "on": {"manual": {}, "schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}},
    "steps": [
        {"id": "pick", "uses": "products.select", "with": {"filter": {"category__isnull": True}}},
        {
            "id": "classify",
            "uses": "classification.classify",
            "needs": ["pick"],
            "with": {"taxonomy": "nexus-hardware", "products": "${{ steps.pick.output.product_ids }}"},
        },
        {
            "id": "gate",
            "uses": "approval",
            "needs": ["classify"],
            "if": "steps.classify.output.needs_review > 0",
            "with": {"role": "reviewer"},
        },
        {
            "id": "publish",
            "uses": "products.update",
            "needs": ["gate"],
            "with": {"set": {"status": "active"}},
            "retry": {"max_attempts": 3, "backoff_s": 10},
            "timeout_s": 600,
        },
    ],
}
_FIELDS: dict[str, Any] = {
    "name": "Classify new products",
    "description": "Every night: what has no category gets one.",
    "enabled": True,
    "definition": DEFINITION,
}
_WORKFLOW: dict[str, Any] = {
    "id": 3,
    "name": _FIELDS["name"],
    "description": _FIELDS["description"],
    "enabled": True,
    "version": 4,
    "definition": DEFINITION,
    "created_by": 1,
    "created_at": "2026-11-01T08:00:00Z",
    "updated_at": "2026-11-22T09:30:00Z",
}
_EXECUTION: dict[str, Any] = {
    "id": EXECUTION_ID,
    "workflow": 3,
    "workflow_name": _FIELDS["name"],
    "version": 4,
    "trigger": "manual",
    "started_by": 2,
    "input": {},
    "status": "waiting",
    "error": "",
    "cancel_requested_at": None,
    "created_at": "2026-11-22T09:30:00Z",
    "started_at": "2026-11-22T09:30:01Z",
    "finished_at": None,
}


def _step(step_id: str, uses: str, status: str, **values: Any) -> dict[str, Any]:
    began = status != "queued"
    return {
        "id": step_id,
        "uses": uses,
        "status": status,
        "attempts": 1 if began else 0,
        "interruptions": 0,
        "retry_at": None,
        "input": None,
        "output": None,
        "error": "",
        "job": None,
        "role": None,
        "decided_by": None,
        "decided_at": None,
        "note": "",
        "started_at": "2026-11-22T09:30:01Z" if began else None,
        "finished_at": "2026-11-22T09:30:04Z" if status == "succeeded" else None,
        **values,
    }


_STEPS = [
    _step(
        "pick",
        "products.select",
        "succeeded",
        input={"filter": {"category__isnull": True}},
        output={"product_ids": [11, 12, 13], "count": 3, "total": 3},
    ),
    _step(
        "classify",
        "classification.classify",
        "succeeded",
        input={"taxonomy": "nexus-hardware", "products": [11, 12, 13]},
        output={
            "job_id": JOB_ID,
            "total": 3,
            "auto_accepted": 2,
            "needs_review": 1,
            "failed": 0,
            "product_ids": [11, 12, 13],
            "accepted_product_ids": [11, 12],
        },
        job=JOB_ID,
    ),
    _step("gate", "approval", "waiting", input={"role": "reviewer"}, role="reviewer"),
    _step("publish", "products.update", "queued"),
]

WORKFLOW = OpenApiExample("Workflow", value=_WORKFLOW, response_only=True, status_codes=["200", "201"])
NEW_WORKFLOW = OpenApiExample("Workflow to write", value=_FIELDS, request_only=True)
VERSION = OpenApiExample(
    "Version",
    value={"version": 4, "definition": DEFINITION, "created_by": 1, "created_at": "2026-11-22T09:30:00Z"},
    response_only=True,
    status_codes=["200"],
)
EXECUTION = OpenApiExample("Execution", value=_EXECUTION, response_only=True, status_codes=["200"])
EXECUTION_DETAIL = OpenApiExample(
    "Waiting for an approval",
    value={**_EXECUTION, "definition": DEFINITION, "steps": _STEPS},
    response_only=True,
    status_codes=["200", "202"],
)
NEW_EXECUTION = OpenApiExample(
    "With an input", value={"input": {"reason": "new supplier"}}, request_only=True
)
NOTE = OpenApiExample("With a note", value={"note": "Looked at the three drills."}, request_only=True)
