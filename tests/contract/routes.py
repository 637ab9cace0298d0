"""Every address of the URL conf, and what may be done there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.viewsets import ViewSetMixin

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# Pages and files for people; everything else speaks JSON.
PAGES = frozenset({"/docs", "/redoc", "/openapi.json", "/metrics"})
OPEN = PAGES | {"/auth/login", "/auth/refresh", "/health", "/health/live"}
OWN = "/auth/"
# What people look at, and what the pages load.
FILES = ("/admin", "/favicon.ico", "/redoc.js")


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address; `path` has its parameters in braces, as OpenAPI writes them."""

    method: str
    path: str
    action: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_open(self) -> bool:
        """Whether it asks for no token."""
        return self.path in OPEN

    @property
    def is_list(self) -> bool:
        """Whether it answers with a page of resources."""
        return self.action in {"list", "history", "step_kinds", "kinds"}


@cache
def operations() -> tuple[Operation, ...]:
    """All of them, without HEAD and OPTIONS, which every address has."""
    return tuple(_operations(get_resolver().url_patterns, "/"))


def paths() -> list[str]:
    """All addresses."""
    return list(dict.fromkeys(operation.path for operation in operations()))


def methods_of(path: str) -> set[str]:
    """What an address can do."""
    return {operation.method for operation in operations() if operation.path == path}


def _operations(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> Iterator[Operation]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(FILES):
            continue
        if isinstance(pattern, URLResolver):
            yield from _operations(pattern.url_patterns, path)
        else:
            for method, action in _methods(pattern.callback):
                yield Operation(method, _braced(path), action)


def _braced(path: str) -> str:
    """``products/<int:pk>`` as ``products/{pk}``; the schema calls every primary key ``id``."""
    parts = [part.partition(":")[2].rstrip(">") if part.startswith("<") else part for part in path.split("/")]
    return "/".join(
        f"{{{part}}}" if raw.startswith("<") else part
        for part, raw in zip(parts, path.split("/"), strict=True)
    )


def _methods(view: Any) -> list[tuple[str, str]]:
    view_class = getattr(view, "cls", None)
    if view_class is None:
        return [("GET", "")]
    if issubclass(view_class, ViewSetMixin):
        return [(method.upper(), action) for method, action in view.actions.items() if method != "head"]
    return [
        (name.upper(), "")
        for name in view_class.http_method_names
        if hasattr(view_class, name) and name not in {"head", "options"}
    ]
