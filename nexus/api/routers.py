"""Addresses without a trailing slash, made by path converters so that a wrong id is a plain 404."""

from typing import Any

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Routes of viewsets. A primary key is a positive integer unless the viewset says `uuid`."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)

    def get_lookup_regex(self, viewset: Any, lookup_prefix: str = "") -> str:
        """The part of the path that names one resource."""
        converter = getattr(viewset, "lookup_value_converter", "int")
        return f"<{converter}:{lookup_prefix}{viewset.lookup_field}>"
