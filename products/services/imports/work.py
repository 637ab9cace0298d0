"""The job of an import: its file is cut into chunks of rows (`preparing`), and each chunk is one transaction.

What a chunk did is written with it (`ImportedChunk`), so that a worker who takes up a chunk that is done finds that
out.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Sum

from nexus.jobs.kinds import JobKind, Outcome, register
from nexus.jobs.models import Chunk, Job
from products.files.layouts import Row
from products.models import ImportChange, ImportedChunk, ImportFault
from products.services.imports import categories, preparing
from products.services.imports.kept import rows_of
from products.services.imports.options import CHANGE, Plan, permissions_for
from products.services.imports.rules import Candidate, Fault, Rules, rules_of
from products.services.imports.writing import Written, write

KIND = "import_products"
PERMISSION = CHANGE
DECIDE = "classification.decide_review"
COUNTS = ("created", "updated", "unchanged", "failed", "errors")


@transaction.atomic
def _work(job: Job, chunk: Chunk) -> Outcome:
    done, is_new = ImportedChunk.objects.select_for_update().get_or_create(job=job, position=chunk.position)
    if not is_new and not done.pending:
        return _outcome(done)
    plan = Plan.from_json(job.parameters)
    rules = rules_of(plan, may_decide=job.created_by is None or job.created_by.has_perm(DECIDE))
    rows = [row for row in rows_of(job, chunk.position) if is_new or row.number in done.pending]
    candidates, faults = _checked(rows, rules, chunk.input["duplicates"])
    written = write(candidates, plan.mode, dry_run=plan.dry_run)
    faults += _refused(written, candidates, rules)
    if plan.dry_run:
        _keep_changes(job, written, candidates)
    _keep_faults(job, faults)
    _count(done, written, faults)
    return _outcome(done)


def _checked(
    rows: Sequence[Row], rules: Rules, duplicates: dict[str, int]
) -> tuple[list[Candidate], list[Fault]]:
    """The rows that nothing is wrong about, as far as they and the file tell, and the faults of the others."""
    candidates = [rules.candidate(row) for row in rows]
    for one in candidates:
        if str(one.number) in duplicates:
            first = duplicates[str(one.number)]
            one.faults.append(
                rules.fault_at(
                    one.number, "sku", one.values.get("sku"), "duplicate", f"Row {first} has the same SKU."
                )
            )
        elif "sku" not in one.values and not one.faults:
            one.faults.append(rules.fault_at(one.number, "sku", "", "required", "The row has no SKU."))
    categories.resolve(candidates, rules)
    return (
        [one for one in candidates if not one.faults],
        [fault for one in candidates for fault in one.faults],
    )


def _refused(written: Written, candidates: Sequence[Candidate], rules: Rules) -> list[Fault]:
    """The faults of rows that do not fit the products that there are."""
    skus = {one.number: one.values["sku"] for one in candidates}

    def faults(numbers: Sequence[int], target: str, code: str, detail: str) -> list[Fault]:
        return [
            rules.fault_at(n, target, skus[n] if target == "sku" else "", code, detail.format(skus[n]))
            for n in numbers
        ]

    return [
        *faults(written.taken, "sku", "sku_taken", "There is a product with the SKU {!r} already."),
        *faults(written.missing, "sku", "does_not_exist", "There is no product with the SKU {!r}."),
        *faults(written.nameless, "name", "required", "The product is new, and needs a name."),
        *faults(
            written.overfull,
            "attributes",
            "too_many_attributes",
            "With those of the row the product would have more attributes than it may.",
        ),
    ]


def _keep_faults(job: Job, faults: Sequence[Fault]) -> None:
    ImportFault.objects.bulk_create(
        [
            ImportFault(
                job=job,
                row=fault.row,
                column=fault.column[:200],
                value=fault.value,
                code=fault.code[:50],
                detail=fault.detail,
            )
            for fault in sorted(faults, key=lambda fault: fault.row)
        ]
    )


def _keep_changes(job: Job, written: Written, candidates: Sequence[Candidate]) -> None:
    values = {one.number: one.values for one in candidates}
    ImportChange.objects.bulk_create(
        ImportChange(
            job=job,
            row=number,
            sku=values[number]["sku"],
            action=action,
            changes=_changes(written.before.get(number, {}), values[number]),
        )
        for action, numbers in (("create", written.created), ("update", written.updated))
        for number in numbers
    )


def _changes(before: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What fields are before and after, of those that differ."""
    if not before:
        return {name: {"before": None, "after": v} for name, v in values.items() if v and name != "sku"}
    after = dict(values)
    if "added_attributes" in after:
        before = {**before, "attributes": before.pop("added_attributes")}
        after["attributes"] = {**before["attributes"], **after.pop("added_attributes")}
    return {name: {"before": old, "after": after[name]} for name, old in before.items() if old != after[name]}


def _count(done: ImportedChunk, written: Written, faults: Sequence[Fault]) -> None:
    done.created += len(written.created)
    done.updated += len(written.updated)
    done.unchanged += len(written.unchanged)
    done.failed, done.errors = len({fault.row for fault in faults}), len(faults)
    done.pending = []
    done.save()


def _outcome(done: ImportedChunk) -> Outcome:
    return Outcome(succeeded=done.created + done.updated + done.unchanged, failed=done.failed)


def _give_up(job: Job, chunk: Chunk, reason: str) -> Outcome:
    """Every row of a chunk that could not be done has failed, for the same reason."""
    done, is_new = ImportedChunk.objects.select_for_update().get_or_create(job=job, position=chunk.position)
    if is_new or done.pending:
        numbers = done.pending or [row.number for row in rows_of(job, chunk.position)]
        faults = [Fault(number, "", "", "server_error", reason) for number in numbers]
        _keep_faults(job, faults)
        _count(done, Written(), faults)
    return _outcome(done)


def _before_retry(job: Job) -> None:
    """Forget the faults, and note which rows are to be tried again; what went well is not done again."""
    for done in ImportedChunk.objects.filter(job=job, failed__gt=0):
        numbers = [row.number for row in rows_of(job, done.position)]
        faults = ImportFault.objects.filter(job=job, row__gte=numbers[0], row__lte=numbers[-1])
        done.pending = sorted(set(faults.values_list("row", flat=True)))
        done.failed = done.errors = 0
        done.save()
        faults.delete()


def counts(job: Job) -> dict[str, int]:
    """How many rows were created, changed, left as they are or refused so far, and how many errors these have."""
    sums = {name: Sum(name, default=0) for name in COUNTS}
    return dict(ImportedChunk.objects.filter(job=job).aggregate(**sums))


def _finish(job: Job) -> None:
    job.result = {**job.result, **counts(job)}
    job.save(update_fields=["result"])
    preparing.forget_keys(job)


def register_kind() -> None:
    """Have workers know imports."""
    register(
        JobKind(
            name=KIND,
            next_step=preparing.next_step,
            work=_work,
            give_up=_give_up,
            before_retry=_before_retry,
            finish=_finish,
            permission=PERMISSION,
            further_permissions=lambda job: permissions_for(job.parameters["mode"]),
        )
    )
