"""The base of every view: who asks, what they may, and answers that are bytes as early as can be."""

from functools import partial
from typing import Any, cast

import pghistory
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from rest_framework import generics, viewsets
from rest_framework.request import Request
from rest_framework.views import APIView as RestFrameworkView

from nexus.api import conditional
from nexus.api.database import repeated_when_stopped
from nexus.api.filters import StrictFilterBackend
from nexus.api.idempotency import IDEMPOTENCY_KEY, idempotent
from nexus.api.pagination import KeysetPagination, Read
from nexus.api.reading import RowReader, locked_by_key, row_by_key, row_reader, shower
from nexus.api.renderers import to_json
from nexus.api.serializers import Serializer
from nexus.ops.context import bind, current_request_id

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# PostgreSQL's bigint has a sign besides.
BITS_OF_A_KEY = 63
METHODS_WITH_BODY = {"POST", "PUT", "PATCH"}


class EmptySerializer(Serializer):
    """The body of a request whose address says all: none, or an empty object."""


class ViewMixin:
    """What plain views and viewsets share.

    `permissions` maps each action (or method, in lower case) to the permission it needs; see
    `nexus.api.permissions`. A view, or an action by its decorator, says `takes_body=False` when its address says all.
    """

    permissions: dict[str, str] = {}
    takes_body = True
    # Of the request that writes.
    host: str

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Everything before the work: authentication, permission, rate; who is at work, for logs and history."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if request.method not in SAFE_METHODS:
            # Addresses in answers are made of it: a wrong one is refused before anything is written.
            self.host = request._request.get_host()
        if request.method in METHODS_WITH_BODY and hasattr(self, request.method.lower()):
            self._check_body(request.data)
        user = request.user
        if not user.is_authenticated:
            return
        if request.method not in SAFE_METHODS:
            pghistory.context(user=user.pk)
        if request.method == "POST" and IDEMPOTENCY_KEY in request.META:
            handler = self.post  # type: ignore[attr-defined]
            vars(self)["post"] = partial(idempotent, handler)

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks, before anything is refused: log lines of refusals name the user too."""
        super().perform_authentication(request)  # type: ignore[misc]
        if request.user.is_authenticated:
            bind(user=request.user.pk)

    def _check_body(self, data: Any) -> None:
        """Raise ValidationError for fields that nobody would read; reading `data` has refused what is no JSON."""
        if not self.takes_body:
            EmptySerializer(data=data).is_valid(raise_exception=True)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer a request; what it writes is kept in the history with the request it came from."""
        try:
            if request.method in SAFE_METHODS:
                return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            with pghistory.context(source="api", request_id=current_request_id()):
                return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        finally:
            # A view and its request know each other, and a viewset keeps methods of itself: none of it would go before
            # a garbage collection, and each request would be made in memory that no processor has at hand.
            self.request.parser_context.clear()  # type: ignore[attr-defined]
            vars(self).clear()


class APIView(ViewMixin, RestFrameworkView):
    """A view of one address. `permissions` is by method, in lower case."""


class GenericViewSet(ViewMixin, viewsets.GenericViewSet[Any]):
    """A viewset over `queryset`, with filters, pages and entity tags."""

    filter_backends = [StrictFilterBackend]
    lookup_value_converter = "int"

    @property
    def paginator(self) -> KeysetPagination:
        """The pages of this request."""
        return cast(KeysetPagination, super().paginator)

    def row_reader(self) -> RowReader | None:
        """The short way from rows to what the serializer shows, where there is one."""
        serializer_class: Any = self.get_serializer_class()
        return row_reader(serializer_class)

    def represent(self, instance: Model) -> Any:
        """A resource as its serializer shows it."""
        reader = self.row_reader()
        if reader is None:
            serializer_class: Any = self.get_serializer_class()
            return shower(serializer_class)(instance)
        return reader.represent(instance)

    @property
    def _fixed_queryset(self) -> Any:
        """The queryset, where every request has the same; None where it depends on who asks."""
        is_fixed = type(self).get_queryset is generics.GenericAPIView.get_queryset
        return cast(Any, self).queryset if is_fixed else None

    @property
    def _key(self) -> Any:
        """The key of the address. Raises Http404 for a number that is too large for one."""
        key = self.kwargs["pk"]
        if isinstance(key, int) and key.bit_length() > BITS_OF_A_KEY:
            raise Http404
        return key

    def read_one(self) -> Any:
        """The resource of the address, read the short way where its serializer allows. Raises Http404."""
        reader, fixed = self.row_reader(), self._fixed_queryset
        if reader is None:
            return self.represent(self.get_object())
        if fixed is None:
            found = reader.read(self.get_queryset().filter(pk=self._key)[:1])
        else:
            found = [reader.shown(row) for row in row_by_key(reader, fixed).run(self._key)]
        if not found:
            raise Http404
        return found[0]

    def locked(self) -> Any:
        """The resource of the address with its row locked, when ``If-Match`` allows to change it.

        Call it in a transaction. Raises Http404, and PreconditionFailed when the resource has changed.
        """
        fixed = self._fixed_queryset
        if fixed is None:
            found = list(self.get_queryset().select_for_update(of=("self",)).filter(pk=self._key))
        else:
            found = locked_by_key(fixed).run(self._key)
        if not found:
            raise Http404
        conditional.check_precondition(self.request, self.represent(found[0]))
        return found[0]

    def page(self, queryset: QuerySet[Any]) -> Any:
        """A page of a queryset as ``{count, next, previous, results}``."""
        reader = self.row_reader()
        if reader is None:
            rows = self.paginator.paginate_queryset(queryset, self.request, view=self)
            return self.paginator.envelope(self.get_serializer(rows, many=True).data)
        read = self._first_page_of_all(reader, queryset) or reader.read_with
        return self.paginator.envelope(
            self.paginator.paginate_queryset(queryset, self.request, view=self, read=read)
        )

    def _first_page_of_all(self, reader: RowReader, queryset: QuerySet[Any]) -> Read | None:
        """How the first page of a list without filters is read, where the list is the same in every request."""
        fixed = self._fixed_queryset
        if (
            fixed is None
            or "cursor" in self.request.query_params
            or queryset.query.where != fixed.query.where
        ):
            return None
        return partial(reader.read_first_page, fixed=fixed)


class ListMixin:
    """``GET`` of a list."""

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """A page of the resources that the filters let through."""
        body = self.page(self.filter_queryset(self.get_queryset()))
        return HttpResponse(to_json(body), content_type="application/json")


class RetrieveMixin:
    """``GET`` of one resource."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """One resource with its entity tag."""
        return conditional.answer(request, self.read_one())


class CreateMixin:
    """``POST`` to a list. The view brings `perform_create(serializer)`, which returns the new instance."""

    @repeated_when_stopped
    def create(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The new resource, 201, and its address."""
        data = self.created(request)
        location = f"{request.scheme}://{self.host}{request.path}/{data['id']}"
        return conditional.answer(request, data, 201, Location=location)

    def created(self: Any, request: Request) -> Any:
        """The new resource as it is shown."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self.represent(self.perform_create(serializer))


class UpdateMixin:
    """``PUT`` and ``PATCH``. The view brings `perform_update(serializer)`, which returns the changed instance."""

    @repeated_when_stopped
    def update(self: Any, request: Request, *args: Any, partial: bool = False, **kwargs: Any) -> HttpResponse:
        """The resource as it is after the change."""
        with transaction.atomic():
            serializer = self.get_serializer(self.locked(), data=request.data, partial=partial)
            serializer.is_valid(raise_exception=True)
            data = self.represent(self.perform_update(serializer))
        return conditional.answer(request, data)

    def partial_update(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The same for the fields that are given."""
        return self.update(request, *args, partial=True, **kwargs)


class DestroyMixin:
    """``DELETE``. The view brings `perform_destroy(instance)`."""

    @repeated_when_stopped
    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Nothing, 204."""
        with transaction.atomic():
            self.perform_destroy(self.locked())
        return HttpResponse(status=204)


class ReadOnlyViewSet(ListMixin, RetrieveMixin, GenericViewSet):
    """A list and its resources, to read."""


class ModelViewSet(ListMixin, RetrieveMixin, CreateMixin, UpdateMixin, DestroyMixin, GenericViewSet):
    """A list and its resources, to read and to write."""
