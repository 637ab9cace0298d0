"""Writes to Redis that must not be lost while Redis is away for a moment.

A session that ends while Redis does not answer may still be noted there as alive, for as long as notes are kept.
So the writer keeps trying until Redis takes the news or such a note has run out.
"""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock, Thread

from redis import Redis

from nexus.ops import redis

GIVE_UP_AFTER_S = 90.0
PAUSE_S = 0.2

News = Callable[[Redis], object]

_untold: deque[tuple[float, News]] = deque()
_lock = Lock()
_teller: Thread | None = None


def tell(news: News) -> None:
    """Write to Redis: at once, or in the background as soon as it answers."""
    global _teller
    if not _untold and _told(news):
        return
    with _lock:
        _untold.append((time.monotonic(), news))
        if _teller is None:
            _teller = Thread(target=_tell_the_rest, name="telling", daemon=True)
            _teller.start()


def _told(news: News) -> bool:
    failed = object()
    return redis.guarded(news, default=failed) is not failed


def _tell_the_rest() -> None:
    global _teller
    while True:
        with _lock:
            if not _untold:
                _teller = None
                return
            since, news = _untold[0]
        if _told(news) or time.monotonic() - since > GIVE_UP_AFTER_S:
            _untold.popleft()
        else:
            time.sleep(PAUSE_S)
