"""Taxonomies that are published as one line a category, ``<code> <separator> <name> > <name> > …``.

Google: https://www.google.com/basepages/producttype/taxonomy-with-ids.en-US.txt, and the same in other languages.
Shopify: https://github.com/Shopify/product-taxonomy, ``dist/<language>/categories.txt``.
"""

import re
from collections.abc import Iterator

from products.taxonomy_files.reading import CategoryRow, Reading

SEPARATOR = " > "
GOOGLE = re.compile(r"(?P<code>\d+) - (?P<path>.+)")
SHOPIFY = re.compile(r"gid://shopify/TaxonomyCategory/(?P<code>\S+)\s+: (?P<path>.+)")
_VERSION = re.compile(r"#.*(?:Version|Categories): *(?P<version>\S+)")


def read_google(text: str) -> Reading:
    """Google product taxonomy with ids, of any language."""
    return _read(text, GOOGLE, "537 - Baby & Toddler")


def read_shopify(text: str) -> Reading:
    """Shopify product taxonomy; the code of a category is the last part of its global id, such as ``ap-1``."""
    return _read(text, SHOPIFY, "gid://shopify/TaxonomyCategory/ap-1 : Animals & Pet Supplies > Live Animals")


def _read(text: str, pattern: re.Pattern[str], example: str) -> Reading:
    reading = Reading(version=_version(text))
    found: list[tuple[int, str, str]] = []
    for number, line in _lines(text):
        match = pattern.fullmatch(line)
        if match is None:
            mend = f"Write it as in {example!r}."
            reading.note(number, "line", "malformed", line, "This is no line of a category.", mend)
        else:
            found.append((number, match["code"], match["path"].strip()))
    _place(reading, found)
    return reading


def _version(text: str) -> str:
    match = _VERSION.match(text)
    return match["version"] if match else ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def _place(reading: Reading, found: list[tuple[int, str, str]]) -> None:
    """Make rows of paths: a parent is the category whose path is all but the last name."""
    codes: dict[str, str] = {}
    for number, code, path in found:
        if codes.setdefault(path, code) != code:
            mend = f"Remove one of the lines; the other has the code {codes[path]!r}."
            reading.note(number, "path", "duplicate_path", path, "Another category has this path.", mend)
    for number, code, path in found:
        above, _, name = path.rpartition(SEPARATOR)
        parent = codes.get(above, "")
        if above and not parent:
            mend = f"Add a line for {above!r}."
            reading.note(number, "path", "no_parent", path, "No line has the path above it.", mend)
        reading.rows.append(CategoryRow(code, name, parent, keywords=None, description=None, line=number))
