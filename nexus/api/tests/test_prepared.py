"""Querysets whose SQL is written once."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection

from nexus.api.prepared import Prepared, Written

pytestmark = pytest.mark.django_db


def by_name() -> Prepared:
    return Prepared(Group.objects.filter(name="any").order_by("id"))


def test_each_run_gives_the_rows_of_its_own_values() -> None:
    groups, (first, second) = by_name(), (Group.objects.create(name=name) for name in ("first", "second"))
    assert [groups.run("first"), groups.run("second"), groups.run("third")] == [[first], [second], []]


def test_values_and_related_instances_come_as_the_queryset_gives_them() -> None:
    group = Group.objects.create(name="first")
    assert Prepared(Group.objects.filter(pk=0).values_list("name", "pk")).run(group.pk) == [
        ("first", group.pk)
    ]
    permission = Prepared(
        Group.permissions.through.objects.filter(group=0)
        .select_related("permission__content_type")
        .order_by("id")
    ).run(_with_permission(group).pk)[0]
    assert permission.permission.content_type.app_label == "auth"


def test_values_are_never_read_as_sql() -> None:
    assert by_name().run("x' OR '1'='1") == []


def test_a_run_needs_as_many_values_as_there_are_parameters() -> None:
    with pytest.raises(ValueError, match="1 parameters, not 2"):
        by_name().run("first", "second")


@pytest.mark.django_db(transaction=True)
def test_threads_run_it_on_their_own_connections() -> None:
    Group.objects.create(name="first")
    groups = by_name()
    found: list[Group] = []

    def run() -> None:
        found.extend(groups.run("first"))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [group.name for group in found] == ["first"] * 4


def _with_permission(group: Group) -> Group:
    group.permissions.add(Permission.objects.filter(content_type__app_label="auth")[0])
    return group


def a_new_group() -> Written:
    return Written("INSERT INTO auth_group (name) VALUES (%(name)s)", ["name"], Group.objects.order_by())


def test_what_is_written_is_read_and_nothing_else() -> None:
    Group.objects.create(name="first")
    (group,) = a_new_group().write({"name": "second"})
    assert group == Group.objects.get(name="second")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The SQL that is sent while the test runs."""
    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield statements


def test_a_session_plans_it_once(sent: list[str]) -> None:
    groups = by_name()
    for name in ("first", "second", "third"):
        groups.run(name)
    assert len(set(sent)) == 1
    assert sent[0].startswith("EXECUTE ")


def test_behind_a_pooler_the_sql_is_sent_as_it_is(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    group = Group.objects.create(name="first")
    assert by_name().run("first") == [group]
    assert sent[-1].startswith("SELECT ")
    assert [group.name for group in a_new_group().write({"name": "second"})] == ["second"]
    assert sent[-1].startswith("WITH ")


def test_a_session_keeps_no_more_statements_than_it_should(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nexus.api.prepared.MAX_STATEMENTS", 0)
    assert by_name().run("first") == []
    assert sent[-1].startswith("SELECT ")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    ["DEALLOCATE ALL", "ALTER TABLE auth_group ALTER name TYPE varchar(151)"],
    ids=["a statement that the session has lost", "a column of another type"],
)
def test_a_statement_that_works_no_more_is_prepared_again(change: str) -> None:
    group, groups = Group.objects.create(name="first"), by_name()
    assert groups.run("first") == [group]
    with connection.cursor() as cursor:
        cursor.execute(change)
    try:
        assert groups.run("first") == [group]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE auth_group ALTER name TYPE varchar(150)")
