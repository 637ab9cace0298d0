"""Why there is a job, in one sentence for people: what it is for, and through what it was asked for."""

from collections.abc import Mapping

import pghistory

from nexus.ops.context import current_request_id

# What the history of the work at hand says about its source, for people; braces are filled from the history.
ASKED = {
    "api": "requested through the API",
    "admin": "requested on the admin pages",
    "command": "requested on the command line",
    "workflow": "as a step of the execution {execution}",
    "job": "as a part of the job {job}",
    "policy": "as the policy of the taxonomy says",
}
LONGEST_PURPOSE = 120


def reason_for(purpose: str) -> str:
    """Such as "Import of drills.csv, requested through the API." for the purpose "Import of drills.csv"."""
    # A request that only reads, such as one for an export, names no source for the history.
    source = "api" if current_request_id() else "command"
    with pghistory.context() as work:
        asked = ASKED.get(work.metadata.get("source", ""), ASKED[source]).format_map(work.metadata)
    short = purpose if len(purpose) <= LONGEST_PURPOSE else f"{purpose[: LONGEST_PURPOSE - 1]}…"
    return f"{short}, {asked}."


def filter_as_text(values: Mapping[str, object]) -> str:
    """A list filter in a purpose: "all products", or "the products with status=active"."""
    terms = " and ".join(f"{name}={value}" for name, value in sorted(values.items()))
    return f"the products with {terms}" if terms else "all products"
