"""Without PostgreSQL nothing works, and says so at once; with it everything works again, without a restart."""

import threading

import pytest

from tests.faults.conftest import Answer, Nexus, eventually

# What the contract promises, and some room for a machine that has other things to do.
AT_ONCE_S = 2.0 + 2.0


@pytest.fixture
def token(nexus: Nexus) -> str:
    return nexus.sign_in()


def test_every_request_is_a_503_while_postgresql_is_away_and_all_is_well_when_it_is_back(
    nexus: Nexus, token: str
) -> None:
    warm(nexus, token)
    nexus.postgres.stop()
    try:
        for answer in requests(nexus, token):
            assert (answer.status, answer.body["code"]) == (503, "database_unavailable")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.seconds < AT_ONCE_S
        health = nexus.call("GET", "/health")
        assert (health.status, health.body["status"]) == (503, "unavailable")
        assert health.seconds < AT_ONCE_S
        assert nexus.status_of("/health/live") == 200
    finally:
        nexus.postgres.start()
    eventually(lambda: nexus.status_of("/health") == 200)
    assert {answer.status for answer in requests(nexus, token)} == {200}


def test_the_first_requests_after_a_restart_of_postgresql_succeed(nexus: Nexus, token: str) -> None:
    warm(nexus, token)
    nexus.postgres.stop()
    nexus.postgres.start()
    assert {answer.status for answer in requests(nexus, token) + warm(nexus, token)} == {200}


def requests(nexus: Nexus, token: str) -> list[Answer]:
    """The answers to a read, a write, and a sign-in."""
    return [
        nexus.call("GET", "/api/v1/products?page_size=1", token=token),
        nexus.call("PATCH", "/auth/me", {"name": "Edda"}, token),
        nexus.call("GET", "/auth/sessions", token=token),
        nexus.call("POST", "/auth/login", {"email": "viewer@example.com", "password": "nexus-demo"}),
    ]


def warm(nexus: Nexus, token: str) -> list[Answer]:
    """Have every thread of the web server connect to PostgreSQL, so that its connection may break."""
    answers: list[Answer] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(nexus.call("GET", "/api/v1/products?search=drill", token=token))
        )
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
