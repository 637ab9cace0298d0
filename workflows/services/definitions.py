"""Workflows are written: created, changed and archived. Each change of a definition makes a version."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from nexus.api.database import refusal
from nexus.api.errors import Conflict, invalid_request
from workflows.engine import check_definition
from workflows.models import Workflow, WorkflowVersion
from workflows.steps import registry

NAME_UNIQUE = "workflows_workflow_name_unique"
FIELDS = ("name", "description", "enabled")


def definition_errors(definition: object) -> list[dict[str, str]]:
    """Every fault of a definition as ``{pointer, code, detail}``, with pointers into the definition."""
    return [asdict(error) for error in check_definition(definition, registry)]


def check(definition: object) -> None:
    """Raise Problem (400) that names every fault of a definition, below ``/definition``."""
    errors = definition_errors(definition)
    if errors:
        raise invalid_request([{**error, "pointer": f"/definition{error['pointer']}"} for error in errors])


def create_workflow(
    *, name: str, definition: Any, description: str = "", enabled: bool = True, user_id: int | None = None
) -> Workflow:
    """Save a workflow and its version 1. Raises Conflict ``name_taken``, and Problem (400) for its definition."""
    check(definition)
    workflow = Workflow(name=name, description=description, enabled=enabled, created_by_id=user_id)
    with transaction.atomic():
        with _name_refusal(name):
            workflow.save(force_insert=True)
        _add_version(workflow, definition, user_id)
    return workflow


def update_workflow(
    workflow: Workflow, changes: Mapping[str, Any], *, user_id: int | None = None
) -> Workflow:
    """Save what differs from `changes`, and nothing when nothing does. Call it with the row locked.

    A definition that differs becomes a version of its own. Raises as `create_workflow` does.
    """
    changed = [name for name in FIELDS if name in changes and changes[name] != getattr(workflow, name)]
    for name in changed:
        setattr(workflow, name, changes[name])
    revised = "definition" in changes and _differs(workflow, changes["definition"])
    if revised:
        check(changes["definition"])
        workflow.version += 1
        changed.append("version")
    if changed:
        with transaction.atomic():
            with _name_refusal(workflow.name):
                workflow.save(update_fields=[*changed, "updated_at"])
            if revised:
                _add_version(workflow, changes["definition"], user_id)
    return workflow


def archive_workflow(workflow: Workflow) -> None:
    """Take a workflow out of use; its versions and executions stay.

    Raises Conflict ``executions_running`` while one of them has not ended.
    """
    with transaction.atomic():
        # Starting an execution takes the same lock, so none begins in between.
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        if locked.executions.active().exists():
            raise Conflict(
                "executions_running", "Executions of this workflow have not ended. Cancel them, or wait."
            )
        locked.archived_at = timezone.now()
        locked.save(update_fields=["archived_at", "updated_at"])


def current_definition(workflow: Workflow) -> Any:
    """The definition of the newest version."""
    return workflow.versions.get(version=workflow.version).definition


def _add_version(workflow: Workflow, definition: Any, user_id: int | None) -> None:
    WorkflowVersion.objects.create(
        workflow=workflow, version=workflow.version, definition=definition, created_by_id=user_id
    )


def _differs(workflow: Workflow, definition: Any) -> bool:
    # As text, because Python takes 1, 1.0 and true for the same.
    return _canonical(definition) != _canonical(current_definition(workflow))


def _canonical(definition: Any) -> str:
    return json.dumps(definition, sort_keys=True)


def _name_refusal(name: str) -> AbstractContextManager[None]:
    detail = f"Another workflow has the name {name!r}."
    place = {"pointer": "/name", "code": "name_taken", "detail": detail}
    return refusal(NAME_UNIQUE, Conflict("name_taken", detail, errors=[place]))
