"""From bytes of unknown origin to lines of text."""

import codecs

from products.taxonomy_files.reading import UnreadableFileError

# The whole UNSPSC with definitions is below 40 MB, and that is several times the largest of the others.
MAX_BYTES = 64 * 1024 * 1024
MAX_LINES = 500_000
SAMPLE = 1_000
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def text_of(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 where a byte order mark or its null bytes say so, and else Windows-1252.

    Raises UnreadableFileError for one that is empty, too large, or no text.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFileError("too_large", f"The file has more than {MAX_BYTES // 2**20} MB.")
    text = _decoded(content)
    if not text.strip():
        raise UnreadableFileError("empty", "The file is empty.")
    if "\x00" in text:
        raise UnreadableFileError(
            "null_character", "The file has null characters: it is no text, or is cut off."
        )
    if text.count("\n") > MAX_LINES:
        raise UnreadableFileError("too_many_lines", f"The file has more than {MAX_LINES} lines.")
    return text


def _decoded(content: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], encoding)
    # Latin letters are every other byte of it.
    if content[:SAMPLE].count(0) > len(content[:SAMPLE]) // 4:
        return _strictly(content, "utf-16-le" if content[1:SAMPLE:2].count(0) else "utf-16-be")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _strictly(content, "windows-1252")


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableFileError(
            "encoding", "The file is neither UTF-8 nor UTF-16 nor Windows-1252; save it as UTF-8."
        ) from None
