"""A taxonomy's file in a second language: its names become keywords, by which texts in that language are recognised.

The classifier reads names, paths and keywords of categories alike, whatever their language; see
`classification.engine.cold_start`.
"""

from collections.abc import Iterable

from products.models import Category, Taxonomy
from products.taxonomy_files.checking import MAX_KEYWORD, MAX_KEYWORDS
from products.taxonomy_files.reading import CategoryRow


def is_translation(taxonomy: Taxonomy, language: str) -> bool:
    """Whether a file is in another language than a taxonomy: English is one language, British or American."""
    return _primary(taxonomy.language) != _primary(language)


def _primary(tag: str) -> str:
    return tag.partition("-")[0].casefold()


def translated(taxonomy: Taxonomy, rows: Iterable[CategoryRow]) -> tuple[list[CategoryRow], list[str]]:
    """The taxonomy's own categories with the names and keywords of the rows among their keywords.

    Also the codes of rows that the taxonomy does not have. Doing it again adds nothing.
    """
    categories = {
        category.code: category
        for category in Category.objects.filter(taxonomy=taxonomy).select_related("parent")
    }
    found, unknown = [], []
    for row in rows:
        category = categories.get(row.code)
        if category is None:
            unknown.append(row.code)
        else:
            found.append(_with_names(category, row))
    return found, unknown


def _with_names(category: Category, row: CategoryRow) -> CategoryRow:
    known = {word.casefold() for word in (category.name, *category.keywords)}
    new = {
        word.casefold(): word
        for word in (row.name, *(row.keywords or ()))
        if word.casefold() not in known and len(word) <= MAX_KEYWORD
    }
    return CategoryRow(
        code=category.code,
        name=category.name,
        parent=category.parent.code if category.parent else "",
        keywords=[*category.keywords, *new.values()][:MAX_KEYWORDS],
        description=None,
        line=row.line,
    )
