"""The categories that rows name by code or by path: found for many rows at once, and held until they are written."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from products.models import PATH_SEPARATOR, Category, Taxonomy
from products.services.imports.rules import Candidate, Rules

# How paths are joined in files, besides our own way.
_SEPARATORS = (" / ", "/", " | ", "|", "»", "›", ">")  # noqa: RUF001 - these are meant
Reference = tuple[str, str, str]


def resolve(candidates: Sequence[Candidate], rules: Rules) -> None:
    """Give candidates the ids of their categories, or a fault; in a few statements, whatever their number.

    The categories cannot be deleted before the transaction ends.
    """
    wanted = {one.category for one in candidates if one.category}
    found = _found(wanted) if wanted else {}
    held = Category.objects.held({pk for ids in found.values() for pk in ids}) if found else {}
    for one in candidates:
        if one.category is None:
            continue
        ids = [pk for pk in found.get(one.category, ()) if pk in held]
        if len(ids) == 1:
            one.values["category_id"] = ids[0]
        else:
            _, by, reference = one.category
            code, reason = _reason(one.category, len(ids))
            one.faults.append(rules.fault_at(one.number, by, reference, code, reason))


def _reason(category: Reference, number: int) -> tuple[str, str]:
    """Why a reference that `number` categories fit leads to none."""
    taxonomy, _, reference = category
    if number:
        return (
            "ambiguous",
            f"Taxonomy {taxonomy!r} has {number} categories {reference!r}. Give the code of one.",
        )
    where = f"Taxonomy {taxonomy!r} has no" if taxonomy else "There is no taxonomy, and so no"
    return "does_not_exist", f"{where} category {reference!r}."


def _found(wanted: set[Reference]) -> dict[Reference, list[int]]:
    """The ids of the categories that references fit: paths may do so to several."""
    of_taxonomy: dict[tuple[str, str], list[Reference]] = defaultdict(list)
    for reference in wanted:
        of_taxonomy[reference[0], reference[1]].append(reference)
    found: dict[Reference, list[int]] = {}
    for (name, by), references in of_taxonomy.items():
        taxonomy = Taxonomy.objects.meant_by(name).first() if name else None
        if taxonomy is not None:
            found |= _in_taxonomy(taxonomy, by, references)
    return found


def _in_taxonomy(taxonomy: Taxonomy, by: str, references: Sequence[Reference]) -> dict[Reference, list[int]]:
    """By code, and where the cell is none by path: what suppliers call a category may be either."""
    texts = {reference[2] for reference in references}
    categories = Category.objects.filter(taxonomy=taxonomy)
    by_code = _ids_by(categories, "code", texts) if by == "category_code" else {}
    paths = {text: _path(text) for text in texts if text not in by_code}
    by_path = _ids_by(categories, "path", paths.values()) if paths else {}
    ids = by_code | {text: by_path[path] for text, path in paths.items() if path in by_path}
    return {reference: ids[reference[2]] for reference in references if reference[2] in ids}


def _ids_by(categories: QuerySet[Category], field: str, values: Collection[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for value, pk in categories.filter(**{f"{field}__in": values}).values_list(field, "id"):
        found[value].append(pk)
    return found


def _path(text: str) -> str:
    """A path in our own way of writing it."""
    if PATH_SEPARATOR not in text:
        for separator in _SEPARATORS:
            if separator in text:
                return PATH_SEPARATOR.join(part.strip() for part in text.split(separator))
    return text
