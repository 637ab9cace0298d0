"""Cleaning, splitting and folding of product texts.

Everything here is plain string work: no vocabulary, no category. Sizes (``18V``, ``4x40``, ``1/2"``) are told
from words, names such as ``M.2``, ``SDS+`` or ``FFP2`` stay whole, and plurals and British and American
spellings fall together.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

NAME_LIMIT = 500
DESCRIPTION_LIMIT = 1_500
ATTRIBUTES_LIMIT = 1_500
SHORT_LIMIT = 200
_CACHE_SIZE = 50_000

_MARKS = str.maketrans(
    {
        "™": " ",
        "®": " ",
        "©": " ",
        "″": '"',
        "”": '"',
        "“": '"',
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{PRIME}": "'",
        "\N{EN DASH}": " - ",
        "\N{EM DASH}": " - ",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
        "\N{LATIN SMALL LIGATURE OE}": "oe",
        "\N{LATIN SMALL LETTER AE}": "ae",
    }
)
_POSSESSIVE = re.compile(r"(?<=[^\W\d_])'s\b")
_INCH = re.compile(r"(?<=\d)(?:\s*(?:\"|''|-?inch(?:es)?\b)|-?in\b)")
_NOTATION = re.compile(
    r"\b(?:sds[\s-]*(?:plus\b|\+)|(?:cat|ddr|usb|pcie)[\s.-]+\d|t[\s-]shirt|o[\s-]ring"
    r"|u[\s-]bolt|wi[\s-]fi\b)"
)
_WORD_PATTERN = r"(?<![^\W_])[a-z]\.\d+(?![^\W_])|\d+(?:[./]\d+)*[^\W_]*|[^\W_]+\+?"
_WORD = re.compile(_WORD_PATTERN)
_TOKEN = re.compile(rf"(?P<break>[,;:|]|\s-\s)|(?P<open>[(\[])|(?P<close>[)\]])|(?P<word>{_WORD_PATTERN})")
_COMPOUND = re.compile(r"[^\W_]+(?:[-/_][^\W_]+)+")
_PIECE = re.compile(r"[^\W_]+")
_LONGEST_FRAGMENT = 3
_UNITS = (
    "mm|cm|m|km|in|ft|yd|v|kv|mv|w|kw|va|kva|a|ma|ah|mah|wh|hz|khz|mhz|ghz|g|kg|mg|lb|lbs|oz|ml|cl|l|lt|ltr"
    "|litre|gal|lm|lms|k|db|bar|psi|nm|pc|pce|pcs|piece|pk|pack|t|u|mp|kb|mb|gb|tb|mbps|gbps|gsm|awg|rpm|deg|c|f|j|x"
    "|mtr|metre|meter|way|gang|port|core|swg|mm2|sqmm|hp|btu|year|yr|tpi"
)
_SIZE = rf"\d[\d./]*(?:{_UNITS})?"
_LONE_UNITS = "mm|cm|kg|ml|ltr|litre|kw|kva|mah|ah|mhz|ghz|kb|mb|gb|tb|mbps|gbps|rpm|gsm|awg"
_MEASURE = re.compile(rf"{_SIZE}(?:x{_SIZE})*|m\d+(?:x\d+(?:mm)?)?|{_LONE_UNITS}")
_INCHES = re.compile(r"(\d[\d./]*)in")

_SPELLINGS = {
    "adapter": "adaptor", "aluminum": "aluminium", "caliper": "calliper", "center": "centre",
    "color": "colour",
    "disk": "disc", "fiber": "fibre", "fiberglass": "fibreglass", "galvanized": "galvanised", "gray": "grey",
    "mold": "mould", "molding": "moulding", "pajamas": "pyjamas", "plow": "plough", "pozidrive": "pozidriv",
    "tire": "tyre", "vise": "vice", "thermometre": "thermometer", "axes": "axe", "knives": "knife",
    "shelves": "shelf", "lenses": "lens", "halves": "half", "dies": "die", "ties": "tie",
    "chassis": "chassis",
}  # fmt: skip
_STOP_WORDS = """
    a an and are as at be by c/w can cw for from has in into is it its of on or our per plus that the
    their these this to use used uses using via was which will with within without you your not no all
    any also
"""
# German, French and Spanish ones; not those that are English words of the trade, such as die and pour.
_FOREIGN_STOP_WORDS = """
    der das den dem des und oder mit fur fuer von vom zum zur im am ein eine einen einem einer aus auf bei bis
    ohne inkl le la les du de et ou avec une un aux au sans dans el los las del y con sin para una
"""
STOP_WORDS = frozenset(_STOP_WORDS.split()) | frozenset(_FOREIGN_STOP_WORDS.split())
# Words of colour, size, pack and praise: they stand in the titles of every kind of product.
_GENERIC_WORDS = """
    set kit pack pair piece box bag case size sized black white red blue green yellow grey silver orange
    brown clear chrome heavy duty professional pro premium standard new large small mini compact
    universal multi purpose general assorted quality range series model type style steel stainless
    plastic metal brass zinc plated galvanised wood wooden rubber body only bare unit double single high
    low long short extra super max plus replacement accessory product item system trade value brand
    original genuine easy fast quick
"""
GENERIC_WORDS = frozenset(_GENERIC_WORDS.split())
_TURNS = frozenset(
    {
        *("for", "with", "c/w", "cw", "including", "includes", "inc", "incl", "fits", "suits", "suitable"),
        *("fur", "fuer", "mit", "inkl", "ohne", "avec", "sans", "con", "sin", "para"),
    }
)


class Zone(IntEnum):
    """Where in a title a word stands, from where the kind of product is named to mere remarks."""

    MAIN = 0
    AFTER_SIZE = 1
    AFTER_BREAK = 2
    BRACKETS = 3
    AFTER_TURN = 4


class Word(NamedTuple):
    """A word as written (lower case) and folded, and what it is by itself.

    Content may name a kind of product; a head may be its noun and need not be made of letters alone.
    """

    raw: str
    folded: str
    is_stop: bool
    is_turn: bool
    is_measure: bool
    is_content: bool
    is_head: bool


class Token(NamedTuple):
    """A word of a title, its zone, and whether it is a piece of a part number."""

    word: Word
    zone: Zone
    is_fragment: bool = False


def clean(value: object, limit: int) -> str:
    """Lower-case the first ``limit`` characters of a value, without accents, marks and variants."""
    text = str(value)[:limit]
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_MARKS)).replace("\N{FRACTION SLASH}", "/")
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
        text = text.encode("utf-8", "ignore").decode("utf-8")
    text = _INCH.sub("in", _POSSESSIVE.sub("", text.lower()))
    return _NOTATION.sub(_one_notation, text)


def _one_notation(match: re.Match[str]) -> str:
    """One way to write names that are written with a blank, a hyphen or neither: cat6, tshirt."""
    found = match.group()
    return "sds+" if found.startswith("sds") else re.sub(r"[\s.-]+", "", found)


@lru_cache(_CACHE_SIZE)
def is_measure(token: str) -> bool:
    """Whether a token is a number, a size or a thread (``18v``, ``4x40``, ``m8``) and not a word."""
    return _MEASURE.fullmatch(token) is not None


@lru_cache(_CACHE_SIZE)
def fold(word: str) -> str:
    """Fold a lower-case word to its singular and to one spelling.

    The plural rules are the S stemmer of Harman, "How effective is suffixing?", 1991, with ``-es`` after
    sibilants added.
    """
    inches = _INCHES.fullmatch(word)
    if inches:
        return inches.group(1)
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    singular = _singular(word)
    return _SPELLINGS.get(singular, singular)


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


def root(word: str) -> str:
    """Cut an ending that makes a doer or a deed of a verb: stripper, stripping, stripped → strip."""
    for ending in ("ing", "er", "or", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


@lru_cache(_CACHE_SIZE)
def word_of(raw: str) -> Word:
    """What a lower-case word is by itself."""
    folded = fold(raw)
    measure = is_measure(raw)
    is_named = folded not in GENERIC_WORDS
    is_content = raw.isalpha() and not measure and is_named
    is_head = is_named and not is_measure(folded)
    return Word(raw, folded, raw in STOP_WORDS, raw in _TURNS, measure, is_content, is_head)


def words(cleaned: str) -> list[str]:
    """Folded words and sizes of a cleaned text, stop words left out."""
    return [fold(word) for word in _WORD.findall(cleaned) if word not in STOP_WORDS]


def title_tokens(cleaned: str) -> Iterator[Token]:
    """Words of a cleaned title with their zones.

    Titles name the kind of product before the first comma, bracket, "for" or "with", and mostly before the
    first size that follows a word of content.
    """
    zone, before_brackets, has_content = Zone.MAIN, Zone.MAIN, False
    fragments = _fragments(cleaned)
    for match in _TOKEN.finditer(cleaned):
        if match.lastgroup == "word":
            word = word_of(match.group())
            if word.is_turn and has_content:
                zone = max(zone, Zone.AFTER_TURN)
            if word.is_stop:
                continue
            yield Token(word, zone, match.start() in fragments)
            if word.is_measure and has_content:
                zone = max(zone, Zone.AFTER_SIZE)
            has_content = has_content or word.is_content
        elif match.lastgroup == "open":
            before_brackets, zone = zone, Zone.BRACKETS
        elif match.lastgroup == "close":
            zone = before_brackets
        elif has_content:
            zone = max(zone, Zone.AFTER_BREAK)


def _fragments(cleaned: str) -> set[int]:
    """Where the pieces of part numbers begin that look like words and sizes: the DC of EX4300-32F-DC."""
    found: set[int] = set()
    for compound in _COMPOUND.finditer(cleaned):
        pieces = list(_PIECE.finditer(cleaned, compound.start(), compound.end()))
        codes = sum(_is_code(piece.group()) for piece in pieces)
        for piece in pieces if codes else ():
            raw = piece.group()
            if (raw.isalpha() and len(raw) <= _LONGEST_FRAGMENT) or (codes > 1 and _is_code(raw)):
                found.add(piece.start())
    return found


def _is_code(word: str) -> bool:
    return not word.isalpha() and not word.isdigit() and not is_measure(word)


def attributes_text(attributes: Mapping[str, object]) -> str:
    """Attributes as one cleaned text, ``key value`` by ``key value`` in the order of the keys."""
    parts, length = [], 0
    for key in sorted(attributes, key=str):
        part = f"{str(key)[:SHORT_LIMIT]} {str(attributes[key])[:SHORT_LIMIT]}".replace("_", " ")
        parts.append(part)
        length += len(part)
        if length > ATTRIBUTES_LIMIT:
            break
    return clean(", ".join(parts), ATTRIBUTES_LIMIT)


def near_identity(name: str) -> str:
    """A key that is equal for titles which differ only in sizes, colours, packs and the order of words."""
    kept = {
        word for word in words(clean(name, NAME_LIMIT)) if not is_measure(word) and word not in GENERIC_WORDS
    }
    return " ".join(sorted(kept))
