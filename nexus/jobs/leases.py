"""Leases: how a worker holds a row that it works on, and how others see that it has died.

A row is held until `leased_until`. The worker that holds it moves that moment on while it lives; when it stops doing
so, whoever finds the lease expired takes the row back.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
HEARTBEAT_S = 10.0


def lease_end() -> datetime:
    """Until when a lease taken or renewed at this moment holds."""
    return timezone.now() + LEASE


def worker_name() -> str:
    """This worker, for people who look for it: host, process and thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


@contextmanager
def heartbeat(renew: Callable[[], object]) -> Iterator[None]:
    """Call `renew` every ten seconds while the block runs, from a thread with a database connection of its own."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_S):
            try:
                renew()
            except Exception as error:
                logger.warning(
                    "A lease could not be renewed, and will be tried again: %s", type(error).__name__
                )
                connection.close()
        connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
