"""The formats, how one is told from another, and reading a file of any."""

import re
from collections.abc import Callable

from django.db.models import TextChoices

from products.taxonomy_files import etim, path_lists
from products.taxonomy_files.checking import check
from products.taxonomy_files.decoding import MAX_BYTES, text_of
from products.taxonomy_files.etim import read_etim, read_etim_archive
from products.taxonomy_files.path_lists import read_google, read_shopify
from products.taxonomy_files.plain import read_plain
from products.taxonomy_files.reading import Reading, UnreadableFileError
from products.taxonomy_files.tables import header_of
from products.taxonomy_files.unspsc import read_unspsc
from products.taxonomy_files.workbooks import CONTENT_TYPES, text_of_workbook

ZIP = b"PK\x03\x04"
# The first lines of a file that may be wrong without its format being mistaken.
LOOKED_AT = 20
# Columns that only UNSPSC has; classes are in ETIM too.
ABOVE_CLASSES = {"segment", "segmentcode", "family", "familycode"}
# ``UNv260801``, in the title of a workbook and in a column of each row.
_UNSPSC_VERSION = re.compile(r"UNv\d[\d.]*\d")


class Format(TextChoices):
    """The formats that taxonomies are published in."""

    GOOGLE = "google"
    SHOPIFY = "shopify"
    UNSPSC = "unspsc"
    ETIM = "etim"
    PLAIN = "plain"


READERS: dict[Format, Callable[[str], Reading]] = {
    Format.GOOGLE: read_google,
    Format.SHOPIFY: read_shopify,
    Format.UNSPSC: read_unspsc,
    Format.ETIM: read_etim,
    Format.PLAIN: read_plain,
}


def read(content: bytes, given: Format | None = None) -> tuple[Format, Reading]:
    """The format of a file, guessed unless it is given, with its categories and every mistake in it.

    Raises UnreadableFileError for a file of which nothing can be read.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFileError("too_large", f"The file has more than {MAX_BYTES // 2**20} MB.")
    if not content.startswith(ZIP):
        text = text_of(content).replace("\r\n", "\n").replace("\r", "\n")
    elif CONTENT_TYPES.encode() in content:
        text = text_of_workbook(content)
    elif given in {None, Format.ETIM}:
        return Format.ETIM, check(read_etim_archive(content))
    else:
        raise UnreadableFileError("archive", "Of these formats only ETIM comes as an archive; unpack it.")
    return _read_text(text, given)


def _read_text(text: str, given: Format | None) -> tuple[Format, Reading]:
    cut = _without_preamble(text)
    found = given or guess(cut)
    reading = READERS[found](cut)
    if found == Format.UNSPSC and (version := _UNSPSC_VERSION.search("\n".join(_first_lines(text)))):
        reading.version = version[0]
    return found, check(reading)


def _first_lines(text: str) -> list[str]:
    return text.split("\n", LOOKED_AT)[:LOOKED_AT]


def _without_preamble(text: str) -> str:
    """A table without what stands above its header, such as a title and the terms of use; lines keep their numbers."""
    for number, line in enumerate(_first_lines(text)):
        if _of_table(set(header_of(line))):
            return "\n" * number + text.split("\n", number)[number]
    return text


def guess(text: str) -> Format:
    """The format that the first lines of a text are in. Raises UnreadableFileError when they are in none."""
    lines = [line.strip() for line in text.split("\n", LOOKED_AT * 2)[:-1] or [text]]
    told = [line for line in lines if line and not line.startswith("#")][:LOOKED_AT]
    for pattern, found in ((path_lists.GOOGLE, Format.GOOGLE), (path_lists.SHOPIFY, Format.SHOPIFY)):
        if any(pattern.fullmatch(line) for line in told):
            return found
    if table := _of_table(set(header_of(text))):
        return table
    raise UnreadableFileError(
        "unknown_format",
        "The file is in none of the formats: Google's or Shopify's text, UNSPSC's or ETIM's table, or one whose first "
        "line is code,parent,name,keywords.",
    )


def _of_table(columns: set[str]) -> Format | None:
    """The format that has such columns."""
    if {"key", "parentkey", "code"} <= columns or columns & ABOVE_CLASSES:
        return Format.UNSPSC
    if columns & set(etim.CLASS):
        return Format.ETIM
    if {"code", "name"} <= columns:
        return Format.PLAIN
    return Format.UNSPSC if {"code", "title"} <= columns else None
