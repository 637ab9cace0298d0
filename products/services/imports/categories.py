"""The categories that rows name by code or by path: found for many rows at once, and held until they are written."""

from collections import defaultdict
from collections.abc import Sequence

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
    held = Category.objects.held(set(found.values())) if found else {}
    for one in candidates:
        if one.category is None:
            continue
        pk = found.get(one.category)
        if pk in held:
            one.values["category_id"] = pk
        else:
            taxonomy, by, reference = one.category
            where = f"Taxonomy {taxonomy!r} has no" if taxonomy else "There is no taxonomy, and so no"
            one.faults.append(
                rules.fault_at(
                    one.number, by, reference, "does_not_exist", f"{where} category {reference!r}."
                )
            )


def _found(wanted: set[Reference]) -> dict[Reference, int]:
    of_taxonomy: dict[tuple[str, str], list[Reference]] = defaultdict(list)
    for reference in wanted:
        of_taxonomy[reference[0], reference[1]].append(reference)
    found: dict[Reference, int] = {}
    for (name, by), references in of_taxonomy.items():
        taxonomy = Taxonomy.objects.meant_by(name).first() if name else None
        if taxonomy is not None:
            found |= _in_taxonomy(taxonomy, by, references)
    return found


def _in_taxonomy(taxonomy: Taxonomy, by: str, references: Sequence[Reference]) -> dict[Reference, int]:
    """By code, and where the cell is none by path: what suppliers call a category may be either."""
    texts = {reference[2] for reference in references}
    categories = Category.objects.filter(taxonomy=taxonomy)
    by_code = (
        dict(categories.filter(code__in=texts).values_list("code", "id")) if by == "category_code" else {}
    )
    paths = {text: _path(text) for text in texts if text not in by_code}
    by_path = dict(categories.filter(path__in=paths.values()).values_list("path", "id")) if paths else {}
    ids = by_code | {text: by_path[path] for text, path in paths.items() if path in by_path}
    return {reference: ids[reference[2]] for reference in references if reference[2] in ids}


def _path(text: str) -> str:
    """A path in our own way of writing it."""
    if PATH_SEPARATOR not in text:
        for separator in _SEPARATORS:
            if separator in text:
                return PATH_SEPARATOR.join(part.strip() for part in text.split(separator))
    return text
