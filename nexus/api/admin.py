"""The base of admin pages over tables that may have millions of rows."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.paginator import Paginator
from django.db.models import Index, Model, QuerySet, UniqueConstraint
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property

from nexus.api.errors import Problem
from nexus.api.parsers import NULL_CHARACTER

COUNTED_ROWS = 10_000
# What one request can do in reasonable time, a row at a time.
MAX_CHOSEN = 1_000


def do_with_each(
    page: admin.ModelAdmin,
    request: HttpRequest,
    rows: Iterable[Any],
    do: Callable[[Any], object],
    done: str,
) -> None:
    """Do something with every chosen row; tell what was refused and why, and how many were done."""
    count = 0
    for row in rows:
        try:
            do(row)
            count += 1
        except Problem as problem:
            page.message_user(request, f"{row}: {problem.detail}", messages.WARNING)
    page.message_user(request, f"{count} {done}.")


def explained(page: admin.ModelAdmin, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """What a page answers; when a service refuses, the page again with the reason."""
    try:
        return view()
    except Problem as problem:
        reasons = [error["detail"] for error in problem.errors] or [str(problem.detail)]
        page.message_user(request, " ".join(reasons), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


class BoundedPaginator(Paginator):
    """Counts no further than 10,000 rows: nobody pages beyond, they search and filter."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or 10,000 when there are more."""
        queryset: Any = self.object_list
        return int(queryset.order_by()[:COUNTED_ROWS].count())


class IndexedChangeList(ChangeList):
    """A list that is sorted by its sortable columns alone, also where an address asks for others."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """What a column is sorted by; None where it is not."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None


class LargeTableAdmin(admin.ModelAdmin):
    """An admin page whose cost does not grow with its table.

    `search_keys` are the fields that a search must equal, or lookups of such. Each has an index; Django's own
    ``=id`` would compare with a text that it makes of the id of every row. A list is sorted by what an index has
    in order; by every column where the page says that its table `stays_small`.
    """

    search_keys: tuple[str, ...] = ()
    stays_small = False

    paginator = BoundedPaginator
    show_full_result_count = False
    # The numbers beside filters are counts of the whole table.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The class of the list."""
        return IndexedChangeList

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """The columns whose heads may be clicked."""
        shown: list[Any] = list(self.get_list_display(request))
        if self.stays_small:
            return shown
        in_order = self.sortable_by or _in_order(self.model._meta)
        return [name for name in shown if name in in_order]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The list. Raises SuspiciousOperation (400) for a filter that PostgreSQL cannot be asked for."""
        if any(NULL_CHARACTER in value for _, values in request.GET.lists() for value in values):
            raise SuspiciousOperation("Null characters are not allowed.")
        return super().changelist_view(request, *args, **kwargs)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do an action with the chosen rows, unless these are too many for one request.

        Raises SuspiciousOperation (400) for what can be the key of no row.
        """
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(key)
            except ValidationError:
                raise SuspiciousOperation("A row is chosen by its key.") from None
        if _chosen(request, queryset) > MAX_CHOSEN:
            self.message_user(request, f"Choose at most {MAX_CHOSEN} at a time.", messages.WARNING)
            return None
        return super().response_action(request, queryset, **kwargs)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """What is searched."""
        return self.search_keys or super().get_search_fields(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that have the term in the first of the keys that can have it."""
        if not (self.search_keys and search_term):
            return super().get_search_results(request, queryset, search_term)
        for key in self.search_keys:
            with suppress(ValueError, ValidationError):
                return queryset.filter(**{key: search_term.strip()}), False
        return queryset.none(), False


def _in_order(options: Any) -> set[str]:
    """The fields by which an index of all rows begins, and of which few rows have the same value.

    Of many rows that do, all would be read to sort them by their keys; relations are sorted by what they lead to.
    """
    found = {field.name for field in options.fields if field.unique or field.db_index}
    found |= {_first(one.fields) for one in options.constraints if _is_of_all(one, UniqueConstraint)}
    found |= {_first([*one.fields, *one.expressions]) for one in options.indexes if _is_of_all(one, Index)}
    return {one.name for one in options.fields if one.name in found and not (one.is_relation or one.choices)}


def _is_of_all(one: Any, kind: type) -> bool:
    return type(one) is kind and getattr(one, "condition", None) is None


def _first(fields: Sequence[Any]) -> str:
    first = getattr(fields[0], "expression", fields[0]) if fields else ""
    return str(getattr(first, "name", first)).removeprefix("-")


def _chosen(request: HttpRequest, queryset: QuerySet[Any]) -> int:
    """How many rows of a list are chosen for an action; no more than one above the limit are counted."""
    if request.POST.get("select_across") == "1":
        return queryset.order_by()[: MAX_CHOSEN + 1].count()
    return len(request.POST.getlist(ACTION_CHECKBOX_NAME))


class ReadOnlyMixin:
    """What the system writes, people only read."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes rows by hand."""
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of a row without buttons to save it, also for those who may act on it in the list."""
        context |= {"show_save": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Every field."""
        return [field.name for field in self.model._meta.fields]  # type: ignore[attr-defined]
