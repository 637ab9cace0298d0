"""File locks between processes. The kernel drops them when their holder ends, even by SIGKILL."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """A lock on a file, shared or held alone, until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def share(self) -> None:
        """Wait until nobody holds the lock alone, then hold it with the others."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def take(self) -> None:
        """Wait until nobody else holds the lock, then hold it alone."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def try_to_take(self) -> bool:
        """Hold the lock alone if nobody else holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def outlive_exec(self) -> None:
        """Pass the lock on to the program that replaces this one, and to what that starts."""
        os.set_inheritable(self._file, True)

    def release(self) -> None:
        """Give the lock up; the object is of no use afterwards."""
        os.close(self._file)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold the lock on `path` alone for the time of a ``with`` block."""
    lock = FileLock(path)
    try:
        lock.take()
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock on `path`."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        return not lock.try_to_take()
    finally:
        lock.release()
