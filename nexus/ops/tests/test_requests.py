"""What every request gets: an id, a path without a slash at its end, a length, and one log line."""

import pytest
from django.conf import LazySettings
from django.test import Client

from nexus.ops.context import current_request_id, current_user_id
from nexus.ops.tests.conftest import LogLines

pytestmark = pytest.mark.usefixtures("own_urls")


@pytest.fixture
def careless_client() -> Client:
    """A client that shows a 500 as such."""
    return Client(raise_request_exception=False)


def test_a_sane_request_id_is_taken_over(client: Client) -> None:
    answer = client.get("/test/products/7", headers={"X-Request-ID": "from-the-frontend.1"})
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "from-the-frontend.1"


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "has space in it", "two\nlines"])
def test_any_other_request_id_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/test/products/7", headers={"X-Request-ID": given})
    assert len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"]


def test_two_requests_have_two_ids(client: Client) -> None:
    ids = {client.get("/health/live").headers["X-Request-ID"] for _ in range(2)}
    assert len(ids) == 2


def test_a_slash_at_the_end_makes_no_difference(client: Client) -> None:
    answer = client.get("/test/products/7/")
    assert answer.status_code == 200
    assert answer.json()["path"] == "/test/products/7"


def test_only_one_slash_is_taken_off(client: Client) -> None:
    assert client.get("/test/products/7//").status_code == 404


def test_the_admin_keeps_its_slashes(client: Client) -> None:
    assert client.get("/admin/test/").status_code == 200


def test_an_answer_tells_its_length(client: Client) -> None:
    answer = client.get("/test/signed-in")
    assert answer.headers["Content-Length"] == "5"


def test_a_stream_tells_no_length(client: Client) -> None:
    answer = client.get("/test/export")
    assert "Content-Length" not in answer.headers
    assert answer.getvalue() == b"one\ntwo\n"


def test_a_request_is_one_log_line(client: Client, log_lines: LogLines) -> None:
    client.get("/test/products/7?token=secret", headers={"X-Request-ID": "the-request"})
    (line,) = log_lines()
    assert line.pop("ms") >= 0
    assert line.pop("bytes") > 0
    assert line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "nexus.request",
        "message": "GET /test/products/7 200",
        "request_id": "the-request",
        "method": "GET",
        "path": "/test/products/7",
        "route": "/test/products/<int:pk>",
        "status": 200,
        "user": None,
        "ip": "127.0.0.1",
    }


def test_the_log_line_names_the_user(client: Client, log_lines: LogLines) -> None:
    client.get("/test/signed-in")
    client.get("/test/products/7")
    assert [line["user"] for line in log_lines()] == [42, None]


def test_the_log_line_names_the_client_behind_the_proxy(
    client: Client, log_lines: LogLines, settings: LazySettings
) -> None:
    settings.TRUSTED_PROXIES = 1
    client.get("/test/signed-in", headers={"X-Forwarded-For": "192.0.2.66, 198.51.100.7"})
    assert log_lines()[0]["ip"] == "198.51.100.7"


def test_what_a_stream_logs_names_its_request(client: Client, log_lines: LogLines) -> None:
    answer = client.get("/test/export", headers={"X-Request-ID": "the-request"})
    answer.getvalue()
    assert [line["request_id"] for line in log_lines()] == ["the-request", "the-request"]


def test_when_a_request_is_over_nobody_works_on_it(client: Client) -> None:
    client.get("/test/signed-in")
    assert (current_request_id(), current_user_id()) == (None, None)


def test_an_unknown_path_is_one_log_line_without_a_route(client: Client, log_lines: LogLines) -> None:
    client.get("/nowhere/%0Aforged")
    (line,) = log_lines()
    assert (line["status"], line["route"], line["path"]) == (404, "unmatched", "/nowhere/\nforged")


def test_a_path_of_broken_utf8_is_one_log_line(client: Client, log_lines: LogLines) -> None:
    client.get("/nowhere/%ff%fe")
    assert [line["status"] for line in log_lines()] == [404]


def test_an_unexpected_error_is_logged_once_with_its_traceback(
    careless_client: Client, log_lines: LogLines
) -> None:
    answer = careless_client.get("/test/failing?token=secret", headers={"X-Request-ID": "the-request"})
    lines = log_lines()
    assert answer.status_code == 500
    assert ["exception" in line for line in lines] == [True, False]
    assert "nobody expects this" in lines[0]["exception"]
    assert {line["request_id"] for line in lines} == {"the-request"}
    assert (lines[1]["level"], lines[1]["status"]) == ("ERROR", 500)
    assert "secret" not in str(lines)


def test_probes_are_not_worth_a_line(client: Client, log_lines: LogLines) -> None:
    client.get("/health/live")
    client.get("/health/live/")
    assert log_lines() == []
