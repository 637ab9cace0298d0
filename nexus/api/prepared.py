"""Querysets whose SQL Django writes once. For a few rows, writing it takes longer than reading them."""

from copy import copy
from typing import Any

from django.db import connections
from django.db.models import QuerySet


class Prepared:
    """A queryset that is always the same but for the values of its parameters, which each run gives in their order.

    The values that the queryset is made with only stand for others. Those given must be of the parameters' types.
    """

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self._queryset = queryset
        self._compiler: Any = queryset.query.get_compiler(queryset.db)
        self._sql, self.parameters = self._compiler.as_sql()

    def run(self, *parameters: object) -> list[Any]:
        """The rows, as the queryset gives them. Raises ValueError for another number of parameters."""
        if len(parameters) != len(self.parameters):
            raise ValueError(f"There are {len(self.parameters)} parameters, not {len(parameters)}.")
        # A compiler belongs to one run on one connection; what it has worked out of the queryset is shared.
        compiler = copy(self._compiler)
        compiler.connection = connections[compiler.using]
        compiler.as_sql = lambda *args, **kwargs: (self._sql, parameters)
        rows: Any = self._queryset.all()
        rows.query.get_compiler = lambda *args, **kwargs: compiler
        return list(rows)
