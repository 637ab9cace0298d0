"""Addresses without a trailing slash, made by path converters so that a malformed id is a plain 404."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Routes of viewsets; `lookup_value_converter` of a viewset says what its ids look like."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)
