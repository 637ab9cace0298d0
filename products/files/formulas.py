"""Text that a spreadsheet would run as a formula: made harmless in files, and given back unchanged.

A spreadsheet takes a cell for a formula by its first character, and then it may call programs and send data away
(https://owasp.org/www-community/attacks/CSV_Injection has the characters, the full-width ones among them). Such text
gets an apostrophe in front, which every spreadsheet takes for "this is text". Text that has apostrophes of its own
before such a character gets one more, so that taking one away always gives the text that there was. Numbers are no
text: they pass as they are, negative ones too.
"""

import re

APOSTROPHE = "'"
# What begins a formula, and what a spreadsheet skips before it looks for one.
FIRST = "=+-@＝＋－＠\t\r\n"  # noqa: RUF001 - the full-width forms are meant
# A quick look at the first character, which tells nearly all text apart.
SUSPECT = frozenset(APOSTROPHE + FIRST)

# Goes before each of many texts that are one. PostgreSQL has no null character in a text.
SEPARATOR = "\0"

_formula = re.compile(f"{APOSTROPHE}*[{re.escape(FIRST)}]")
_separated_formula = re.compile(f"{SEPARATOR}(?={_formula.pattern})")
_neutralised = re.compile(f"{APOSTROPHE}+[{re.escape(FIRST)}]")


def neutralise(text: str) -> str:
    """A text as a cell that no spreadsheet runs."""
    return APOSTROPHE + text if text[:1] in SUSPECT and _formula.match(text) else text


def neutralise_each(texts: str) -> str:
    """Texts that each follow a separator, as `neutralise` gives them; one look at all costs half of one at each."""
    return _separated_formula.sub(SEPARATOR + APOSTROPHE, texts)


def restore(cell: str) -> str:
    """The text of a cell that `neutralise` has given, or that nobody has neutralised."""
    return cell[1:] if _neutralised.match(cell) else cell
