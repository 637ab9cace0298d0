"""Rules of people: "manufacturer is X and text contains Y, so it is Z". No regular expressions, bounded in time.

A rule holds when all of its conditions hold. A condition is a field, an operator and a value:

=============  ==============================================================================================
field          ``name``, ``description``, ``manufacturer``, ``part_number``, ``text`` (all of these and the
               attributes), or ``attributes.<key>``
``is``         the whole field says this
``one_of``     the whole field says one of up to 100 such values
``starts_with``  the field begins with these characters
``contains``   the words stand in the field, one after the other. ``*`` within a word stands for any letters
               and digits of the same word: ``drill*``, ``*saw``, ``dhp*z``
``>=`` ``<=``  of attributes alone: the attribute is a number, or a text that is one, and compares so
=============  ==============================================================================================

Texts are compared by their words: case, accents and punctuation make no difference, "DHP484-Z" is the two words
"dhp484 z". Of a name the first 500 characters are read, of a description 1,500, of anything else 200, and of all
attributes that are part of ``text`` 1,500.

`RuleSet` tries few rules on a text however many there are: each rule is filed under words without which it cannot
hold, chosen so that as few rules as possible share them, and only the rules filed under a word of the text are tried.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from classification.engine.data import AttributeValue, Text
from classification.engine.text import ATTRIBUTES_LIMIT, DESCRIPTION_LIMIT, NAME_LIMIT, SHORT_LIMIT, clean

FIELDS: Final = ("name", "description", "manufacturer", "part_number")
WHOLE_TEXT: Final = "text"
ATTRIBUTE: Final = "attributes."
COMPARISONS: Final = (">=", "<=")
OPERATORS: Final = ("is", "contains", "starts_with", "one_of", *COMPARISONS)
MAX_CONDITIONS: Final = 10
MAX_VALUES: Final = 100
MAX_VALUE_LENGTH: Final = 200
MAX_WORDS: Final = 10
MAX_WILDCARDS: Final = 3

_LIMITS: Final = {"name": NAME_LIMIT, "description": DESCRIPTION_LIMIT}
_WORD: Final = re.compile(r"[^\W_]+")
_WORD_OF_PATTERN: Final = re.compile(r"(?:[^\W_]|\*)+")
_BETWEEN_FIELDS: Final = " | "
# How many letters before a wildcard a rule is filed under: fewer would be shared by too many words.
_SHORTEST_BEGINNING: Final = 3
_LONGEST_BEGINNING: Final = 6

Value = AttributeValue | Sequence[AttributeValue]


class RuleError(ValueError):
    """A condition that means nothing; ``place`` says where: ``0/value`` is the value of the first condition."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of one field."""

    field: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Rule:
    """Products of which all conditions hold belong to a category. Rules of the smallest ``position`` decide."""

    id: int
    name: str
    category_id: int
    conditions: tuple[Condition, ...]
    position: int = 1


class _Subject:
    """A text as conditions look at it, each field made ready when it is first asked for."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._spoken: dict[str, str] = {}

    def spoken(self, field: str) -> str:
        """The words of a field, each between blanks; a single blank when there are none."""
        known = self._spoken.get(field)
        if known is None:
            known = self._spoken[field] = self._speak(field)
        return known

    def _speak(self, field: str) -> str:
        if field == WHOLE_TEXT:
            return _BETWEEN_FIELDS.join([*map(self.spoken, FIELDS), *self._spoken_attributes()])
        if field.startswith(ATTRIBUTE):
            return _spoken_value(self.attribute(field))
        return _spoken(getattr(self._text, field), _LIMITS.get(field, SHORT_LIMIT))

    def _spoken_attributes(self) -> Iterator[str]:
        length = 0
        for key in sorted(self._text.attributes):
            spoken = self.spoken(f"{ATTRIBUTE}{key}")
            length += len(spoken)
            if length > ATTRIBUTES_LIMIT:
                return
            yield spoken

    def attribute(self, field: str) -> AttributeValue | None:
        """The value of an attribute, None when the product has none of that name."""
        return self._text.attributes.get(field.removeprefix(ATTRIBUTE))


Holds = Callable[[_Subject], bool]


def _spoken(value: str, limit: int) -> str:
    """The words of a text in lower case without accents, each between blanks."""
    words = " ".join(_WORD.findall(clean(value, limit)))
    return f" {words} " if words else " "


def _spoken_value(value: AttributeValue | None) -> str:
    if value is None:
        return " "
    return _spoken(str(value).lower() if isinstance(value, bool) else str(value), SHORT_LIMIT)


def check(conditions: Sequence[Condition]) -> None:
    """Raise RuleError for the first condition that means nothing."""
    for index, condition in enumerate(conditions):
        try:
            _check_condition(condition)
        except RuleError as error:
            raise RuleError(f"{index}/{error.place}", str(error)) from None


def _check_condition(condition: Condition) -> None:
    _check_field(condition.field)
    if condition.operator not in OPERATORS:
        raise RuleError("operator", f"Operators are: {', '.join(OPERATORS)}.")
    of_attribute = condition.field.startswith(ATTRIBUTE)
    if condition.operator in COMPARISONS:
        _check_comparison(condition, of_attribute)
        return
    for value in _values(condition):
        _check_value(value, of_attribute)
        if condition.operator == "contains":
            _check_pattern(str(value))


def _check_field(field: str) -> None:
    is_attribute = field.startswith(ATTRIBUTE) and field != ATTRIBUTE and len(field) <= MAX_VALUE_LENGTH
    if not (is_attribute or field in FIELDS or field == WHOLE_TEXT):
        raise RuleError("field", f"Fields are: {', '.join(FIELDS)}, {WHOLE_TEXT} and {ATTRIBUTE}<key>.")


def _check_comparison(condition: Condition, of_attribute: bool) -> None:
    if not of_attribute:
        raise RuleError("operator", f"{condition.operator} compares attributes alone.")
    if isinstance(condition.value, bool) or not isinstance(condition.value, (int, float)):
        raise RuleError("value", "Give a number.")


def _values(condition: Condition) -> Sequence[AttributeValue]:
    """The value of a condition as a list. Raises RuleError for a list where there may be none, and the reverse."""
    value = condition.value
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if is_list != (condition.operator == "one_of"):
        raise RuleError("value", "Give a list of values." if not is_list else "Give one value, not a list.")
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [value]
    if not 1 <= len(value) <= MAX_VALUES:
        raise RuleError("value", f"Give 1 to {MAX_VALUES} values.")
    return value


def _check_value(value: object, of_attribute: bool) -> None:
    if not isinstance(value, (str, int, float) if of_attribute else str):
        raise RuleError("value", "Give a text, a number, true or false." if of_attribute else "Give a text.")
    if len(str(value)) > MAX_VALUE_LENGTH:
        raise RuleError("value", f"A value has at most {MAX_VALUE_LENGTH} characters.")
    if _spoken_value(value).isspace():
        raise RuleError("value", "A value has at least one letter or digit.")


def _check_pattern(value: str) -> None:
    words = _pattern(value)
    if len(words) > MAX_WORDS:
        raise RuleError("value", f"A value has at most {MAX_WORDS} words.")
    if any(not word.strip("*") for word in words):
        raise RuleError("value", "Each word has at least one letter or digit beside its *.")
    if any(word.count("*") > MAX_WILDCARDS for word in words):
        raise RuleError("value", f"A word has at most {MAX_WILDCARDS} *.")


def _pattern(value: str) -> list[str]:
    """The words of a value, in which ``*`` is kept."""
    return _WORD_OF_PATTERN.findall(clean(value, MAX_VALUE_LENGTH))


def _compiled(condition: Condition) -> Holds:
    """The test of a condition that `check` has let through."""
    field, value = condition.field, condition.value
    if condition.operator in COMPARISONS:
        return _comparison(condition)
    if condition.operator == "contains":
        return _containing(field, _pattern(str(value)))
    if condition.operator == "starts_with":
        beginning = _spoken_value(_values(condition)[0]).rstrip()
        return lambda subject: subject.spoken(field).startswith(beginning)
    return _being(field, _values(condition))


def _being(field: str, values: Sequence[AttributeValue]) -> Holds:
    accepted = {_spoken_value(value) for value in values}
    numbers = {number for value in values if (number := _number(value)) is not None}
    if not field.startswith(ATTRIBUTE) or not numbers:
        return lambda subject: subject.spoken(field) in accepted
    return lambda subject: subject.spoken(field) in accepted or _number(subject.attribute(field)) in numbers


def _comparison(condition: Condition) -> Holds:
    field, bound = condition.field, float(str(condition.value))
    at_least = condition.operator == ">="

    def holds(subject: _Subject) -> bool:
        number = _number(subject.attribute(field))
        return number is not None and (number >= bound if at_least else number <= bound)

    return holds


def _number(value: AttributeValue | None) -> float | None:
    """The number that an attribute is, or that its text says."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _containing(field: str, words: list[str]) -> Holds:
    if not any("*" in word for word in words):
        phrase = f" {' '.join(words)} "
        return lambda subject: phrase in subject.spoken(field)
    if len(words) == 1 and words[0].find("*") == len(words[0]) - 1:
        beginning = f" {words[0][:-1]}"
        return lambda subject: beginning in subject.spoken(field)
    return lambda subject: _stand_together(words, subject.spoken(field).split())


def _stand_together(words: list[str], spoken: list[str]) -> bool:
    """Whether words with wildcards stand one after the other; at most words x spoken comparisons."""
    last = len(spoken) - len(words)
    return any(
        all(_fits(word, spoken[start + offset]) for offset, word in enumerate(words))
        for start in range(last + 1)
    )


def _fits(pattern: str, word: str) -> bool:
    """Whether a word is what a pattern says: each piece is looked for once, from the left."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == word
    *middle, last = middle
    if len(word) < len(first) + len(last) or not (word.startswith(first) and word.endswith(last)):
        return False
    place, end = len(first), len(word) - len(last)
    for piece in middle:
        found = word.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


@dataclass(frozen=True, slots=True)
class _Need:
    """Words of which a field must have one for a condition to hold."""

    field: str
    words: frozenset[str]


def _needs(condition: Condition) -> list[_Need]:
    """All that a condition needs; nothing that words could tell when the list is empty."""
    field, operator = condition.field, condition.operator
    if operator in COMPARISONS or operator == "starts_with":
        return []
    if operator == "contains":
        keys = [_key(word) for word in _pattern(str(condition.value))]
        return [_Need(field, frozenset([key])) for key in keys if key]
    values = _values(condition)
    if field.startswith(ATTRIBUTE) and any(_number(value) is not None for value in values):
        # 18 is also 18.0, which has other words.
        return []
    return [_Need(field, frozenset(max(_spoken_value(value).split(), key=len) for value in values))]


def _key(word: str) -> str:
    """What a word of a pattern is filed under: itself, or the beginning before its wildcard; else nothing."""
    if "*" not in word:
        return word
    beginning = word.partition("*")[0]
    return f"{beginning[:_LONGEST_BEGINNING]}*" if len(beginning) >= _SHORTEST_BEGINNING else ""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A rule with its tests."""

    rule: Rule
    tests: tuple[Holds, ...]

    def holds(self, subject: _Subject) -> bool:
        """Whether all conditions hold."""
        for test in self.tests:  # noqa: SIM110 - a generator costs more than most tests
            if not test(subject):
                return False
        return True


class RuleSet:
    """Rules of one taxonomy, ready to be tried on any number of texts. Raises RuleError for a meaningless one."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        ordered = sorted(rules, key=lambda rule: (rule.position, rule.id))
        for rule in ordered:
            check(rule.conditions)
        self._prepared = [_Prepared(rule, tuple(map(_compiled, rule.conditions))) for rule in ordered]
        self._filed: dict[str, list[int]] = {}
        self._always: list[int] = []
        self._fields: tuple[str, ...] = ()
        self._lengths_of_beginnings: set[int] = set()
        self._file()

    def __len__(self) -> int:
        return len(self._prepared)

    def _file(self) -> None:
        needs = [[need for c in one.rule.conditions for need in _needs(c)] for one in self._prepared]
        popularity = Counter(word for own in needs for need in own for word in need.words)
        fields = set()
        for index, own in enumerate(needs):
            if not own:
                self._always.append(index)
                continue
            rarest = min(own, key=lambda need: sum(popularity[word] for word in need.words))
            fields.add(rarest.field)
            for word in rarest.words:
                self._filed.setdefault(word, []).append(index)
        self._fields = tuple(sorted(fields))
        self._lengths_of_beginnings = {len(word) - 1 for word in self._filed if word.endswith("*")}

    def hits(self, text: Text) -> list[Rule]:
        """The rules that hold of a text, those of the smallest position first."""
        if not self._prepared:
            return []
        subject = _Subject(text)
        tried = sorted(self._tried(subject))
        return [self._prepared[index].rule for index in tried if self._prepared[index].holds(subject)]

    def _tried(self, subject: _Subject) -> set[int]:
        words = set(" ".join([subject.spoken(field) for field in self._fields]).split())
        found = self._filed.keys() & words
        for length in self._lengths_of_beginnings:
            found |= self._filed.keys() & {f"{word[:length]}*" for word in words}
        return {index for word in found for index in self._filed[word]}.union(self._always)


def deciding(hits: Sequence[Rule]) -> list[Rule]:
    """Of the rules that hold of a text, those that decide, one for each category that they name.

    They are the rules of the smallest position; more than one of them contradict each other.
    """
    first = [rule for rule in hits if rule.position == hits[0].position]
    by_category: dict[int, Rule] = {}
    for rule in first:
        by_category.setdefault(rule.category_id, rule)
    return list(by_category.values())
