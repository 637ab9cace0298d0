"""Redis makes Nexus faster; nothing needs it."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.conftest import Nexus, eventually

PRODUCTS = "/api/v1/products?page_size=5"


@contextmanager
def load(nexus: Nexus, token: str) -> Iterator[Counter[int]]:
    """Four clients that ask all the time, and the statuses they get; each has asked by the time that the block ends."""
    seen: Counter[int] = Counter()
    done = threading.Event()

    def ask() -> None:
        while True:
            seen[nexus.status_of(PRODUCTS, token)] += 1
            if done.is_set():
                return

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        yield seen
    finally:
        done.set()
        for client in clients:
            client.join()


def healthy(nexus: Nexus) -> str:
    return str(nexus.call("GET", "/health").body["status"])


def test_requests_go_on_while_redis_stops_under_load_and_nobody_is_logged_out(nexus: Nexus) -> None:
    token, leaving = nexus.sign_in(), nexus.sign_in()
    assert nexus.status_of("/auth/me", leaving) == 200
    with load(nexus, token) as seen:
        nexus.redis.stop()
        eventually(lambda: healthy(nexus) == "degraded")
        assert nexus.call("POST", "/auth/logout", token=leaving).status == 204
        assert nexus.status_of("/auth/me", leaving) == 401
        newcomer = nexus.sign_in("viewer")
        assert nexus.status_of(PRODUCTS, newcomer) == 200
        classified = nexus.call("POST", "/api/v1/classify", {"name": "18V combi drill"}, token)
        assert classified.body["status"] == "succeeded"
        accepted = nexus.call("POST", "/api/v1/classify/batch", {"items": [{"name": "drill"}]}, token)
        assert (accepted.status, accepted.body["status"]) == (202, "queued")
        nexus.redis.start()
        eventually(lambda: healthy(nexus) == "ok")
        assert nexus.status_of("/auth/me", leaving) == 401
    assert set(seen) == {200}


def test_requests_are_answered_while_redis_hangs(nexus: Nexus) -> None:
    token, leaving = nexus.sign_in(), nexus.sign_in()
    # Redis notes that this session is alive, and forgets nothing while it hangs.
    assert nexus.status_of("/auth/me", leaving) == 200
    with load(nexus, token) as seen, nexus.hanging_redis():
        eventually(lambda: healthy(nexus) == "degraded")
        assert nexus.call("POST", "/auth/logout", token=leaving).status == 204
        assert nexus.status_of("/auth/me", leaving) == 401
    after = [nexus.status_of("/auth/me", leaving) for _ in range(100)]
    assert set(after) == {401}
    assert set(seen) == {200}
    eventually(lambda: healthy(nexus) == "ok")
