"""The formats, how one is told from another, and reading a file of any."""

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

ZIP = b"PK\x03\x04"
# The first lines of a file that may be wrong without its format being mistaken.
LOOKED_AT = 20
# Columns that only UNSPSC has; classes are in ETIM too.
ABOVE_CLASSES = {"segment", "segmentcode", "family", "familycode"}


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
    if content.startswith(ZIP):
        if given not in {None, Format.ETIM}:
            raise UnreadableFileError("archive", "Of these formats only ETIM comes as an archive; unpack it.")
        if len(content) > MAX_BYTES:
            raise UnreadableFileError("too_large", f"The file has more than {MAX_BYTES // 2**20} MB.")
        return Format.ETIM, check(read_etim_archive(content))
    text = text_of(content).replace("\r\n", "\n").replace("\r", "\n")
    found = given or guess(text)
    return found, check(READERS[found](text))


def guess(text: str) -> Format:
    """The format that the first lines of a text are in. Raises UnreadableFileError when they are in none."""
    lines = [line.strip() for line in text.split("\n", LOOKED_AT * 2)[:-1] or [text]]
    told = [line for line in lines if line and not line.startswith("#")][:LOOKED_AT]
    for pattern, found in ((path_lists.GOOGLE, Format.GOOGLE), (path_lists.SHOPIFY, Format.SHOPIFY)):
        if any(pattern.fullmatch(line) for line in told):
            return found
    return _of_table(set(header_of(text)))


def _of_table(columns: set[str]) -> Format:
    if {"key", "parentkey", "code"} <= columns or columns & ABOVE_CLASSES:
        return Format.UNSPSC
    if columns & set(etim.CLASS):
        return Format.ETIM
    if {"code", "name"} <= columns:
        return Format.PLAIN
    if {"code", "title"} <= columns:
        return Format.UNSPSC
    raise UnreadableFileError(
        "unknown_format",
        "The file is in none of the formats: Google's or Shopify's text, UNSPSC's or ETIM's CSV, or CSV whose first "
        "line is code,parent,name,keywords.",
    )
