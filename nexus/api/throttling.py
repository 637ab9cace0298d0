"""How often a user may ask. The counting is done where the session is read, in the same trip to Redis."""

import time
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_S = 60


def window(now: float | None = None) -> int:
    """The number of the minute that a moment (seconds since 1970) lies in."""
    return int((time.time() if now is None else now) // WINDOW_S)


class UserRateThrottle(BaseThrottle):
    """Refuses a user who has asked more often in this minute than the settings allow.

    `request.auth` brings `requests_this_minute`; it is 0 while Redis does not answer, since a service that
    answers is worth more than a limit that holds.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the request may go on."""
        count: int = getattr(request.auth, "requests_this_minute", 0)
        return count <= settings.REQUESTS_PER_MINUTE_BY_USER

    def wait(self) -> float:
        """Seconds until the minute is over."""
        return WINDOW_S - time.time() % WINDOW_S
