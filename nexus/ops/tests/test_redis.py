"""Redis that goes away must cost time once, not for every request, and be found again by itself."""

import threading
import time

import pytest
from django.conf import LazySettings

from nexus.ops import redis
from nexus.ops.redis import answering, guarded
from nexus.ops.tests.conftest import LogLines


def ping() -> bool | str:
    return guarded(lambda client: bool(client.ping()), default="without")


@pytest.fixture
def redis_is_down(settings: LazySettings, refusing_port: int) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{refusing_port}/0"


@pytest.fixture
def redis_hangs(settings: LazySettings, hanging_port: int) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{hanging_port}/0"


def test_an_answer_comes_through() -> None:
    assert ping() is True
    assert answering()


@pytest.mark.usefixtures("redis_is_down")
def test_a_failure_gives_the_default() -> None:
    assert ping() == "without"
    assert not answering()


@pytest.mark.usefixtures("redis_hangs")
def test_after_a_failure_redis_is_not_asked_for_a_while() -> None:
    asked: list[bool] = []
    ping()
    assert guarded(lambda client: asked.append(True), default="without") == "without"
    assert asked == []


def test_a_redis_that_is_back_is_found(
    settings: LazySettings, refusing_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "REST_S", 0.05)
    here = settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{refusing_port}/0"
    assert ping() == "without"
    settings.REDIS_URL = here
    monkeypatch.setattr(redis, "_thread", threading.local())
    time.sleep(0.1)
    assert ping() is True
    assert answering()


@pytest.mark.usefixtures("redis_is_down")
def test_while_redis_is_down_one_caller_at_a_time_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "REST_S", 0.05)
    ping()
    time.sleep(0.1)
    monkeypatch.setattr(redis, "REST_S", 60)
    assert [redis._breaker.may_try() for _ in range(3)] == [True, False, False]


@pytest.mark.usefixtures("redis_is_down")
def test_an_outage_is_logged_once(log_lines: LogLines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "REST_S", 0.0)
    for _ in range(3):
        ping()
    assert [line["level"] for line in log_lines()] == ["WARNING"]


def test_an_error_in_the_callers_own_code_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(lambda client: 1 / 0, default=None)
    assert answering()


def test_a_connection_that_redis_has_closed_is_made_anew_and_no_failure() -> None:
    guarded(lambda client: client.client_kill_filter(_id=str(client.client_id()), skipme=False), default=None)
    assert ping() is True
    assert answering()


def test_an_answer_that_nobody_has_read_is_not_taken_for_that_of_the_next_command() -> None:
    def stopped_before_it_reads(client: redis.redis.Redis) -> None:
        assert client.connection
        client.connection.send_command("ECHO", "unread")
        raise TimeoutError

    with pytest.raises(TimeoutError):
        guarded(stopped_before_it_reads, default=None)
    assert guarded(lambda client: client.echo("own"), default=None) == b"own"
