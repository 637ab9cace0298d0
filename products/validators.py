"""Checks of product fields, the same for the API, the admin and imported files."""

from django.core.exceptions import ValidationError

MAX_ATTRIBUTES = 200
MAX_ATTRIBUTE_NAME = 100
MAX_ATTRIBUTE_TEXT = 2000
# Every reader of JSON reads numbers up to here as they were written (RFC 8259, section 6).
MAX_ATTRIBUTE_NUMBER = 2**53 - 1


def gtin_check_digit(digits: str) -> int:
    """The check digit that completes a GTIN given without it.

    Weights 3, 1, 3, … from the right; the sum with the check digit is a multiple of ten
    (GS1 General Specifications, 7.9).
    """
    total = 3 * sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2]))
    return -total % 10


def validate_gtin(value: str) -> None:
    """Accept GTIN-8, 12, 13 and 14 with a right check digit. Raises ValidationError."""
    if not (value.isascii() and value.isdigit() and len(value) in {8, 12, 13, 14}):
        raise ValidationError("A GTIN has 8, 12, 13 or 14 digits.", code="gtin_length")
    expected = gtin_check_digit(value[:-1])
    if int(value[-1]) != expected:
        raise ValidationError(
            f"The check digit of this GTIN is wrong: it ends in {value[-1]}, but {expected} would be right.",
            code="gtin_check_digit",
        )


def validate_attributes(value: object) -> None:
    """Accept a flat object of strings, finite numbers and booleans. Raises ValidationError."""
    if not isinstance(value, dict):
        raise ValidationError("Attributes are an object of names and values.", code="not_an_object")
    if len(value) > MAX_ATTRIBUTES:
        raise ValidationError(f"At most {MAX_ATTRIBUTES} attributes are kept.", code="too_many_attributes")
    for name, content in value.items():
        _validate_attribute(name, content)


def _validate_attribute(name: str, content: object) -> None:
    if not name or len(name) > MAX_ATTRIBUTE_NAME or "\x00" in name:
        raise ValidationError(
            f"The name of an attribute has 1 to {MAX_ATTRIBUTE_NAME} characters and no null character.",
            code="attribute_name",
        )
    if isinstance(content, str):
        if len(content) > MAX_ATTRIBUTE_TEXT or "\x00" in content:
            raise ValidationError(
                f"Attribute {name!r} may have {MAX_ATTRIBUTE_TEXT} characters, none of them null.",
                code="attribute_text",
            )
    elif not isinstance(content, (bool, int, float)):
        raise ValidationError(
            f"Attribute {name!r} must be a string, a number or a boolean.", code="attribute_type"
        )
    elif not abs(content) <= MAX_ATTRIBUTE_NUMBER:
        raise ValidationError(
            f"Attribute {name!r} must lie between -{MAX_ATTRIBUTE_NUMBER} and {MAX_ATTRIBUTE_NUMBER}.",
            code="attribute_number",
        )
