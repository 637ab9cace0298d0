"""The process that owns one server.

``python -m nexus.devservices.keeper postgres <directory> [--throw-away]`` prints ``ready <url>`` once the
server answers, restarts a server that dies, and ends, with the server, as soon as no process holds the lock
of the users any more.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from nexus.devservices.errors import ServicesError
from nexus.devservices.locks import FileLock
from nexus.devservices.servers import SERVERS, Postgres, Redis

LOOK_SECONDS = 0.2


def main() -> None:
    """Keep one server until nobody uses it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(SERVERS))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--throw-away", action="store_true")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    keep(arguments.kind, arguments.directory, arguments.throw_away)


def keep(kind: str, directory: Path, throw_away: bool) -> None:
    """Start the server of `directory`, say so on standard output, and stop it after its last user."""
    alone = FileLock(directory / f"{kind}.keeper")
    alone.take()
    server: Postgres | Redis | None = None
    try:
        server = SERVERS[kind](directory, throw_away)
        server.start()
        _announce(directory / f"{kind}.url", server.url)
        _watch(server, FileLock(directory / f"{kind}.users"))
    except ServicesError as error:
        _say(f"failed {error}")
        sys.exit(1)
    finally:
        if server:
            server.stop()
        _tidy(kind, directory, throw_away)


def _announce(file: Path, url: str) -> None:
    """Tell the process that waits for the server, and those that come later."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(url)
    _say(f"ready {url}")
    # Whoever waits for the end of this output (a pipe in a shell, say) must not wait for the keeper.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nothing, stream)


def _say(line: str) -> None:
    with suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _watch(server: Postgres | Redis, users: FileLock) -> None:
    """Return, holding the lock of the users, when none is left."""
    while not users.try_to_take():
        if server.has_ended():
            server.start()
        time.sleep(LOOK_SECONDS)


def _tidy(kind: str, directory: Path, throw_away: bool) -> None:
    (directory / f"{kind}.url").unlink(missing_ok=True)
    if not throw_away:
        return
    if kind == "postgres":
        for data in directory.glob("pg*"):
            shutil.rmtree(data.resolve(), ignore_errors=True)
            data.unlink(missing_ok=True) if data.is_symlink() else None
    for file in directory.glob(f"{kind}.*"):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        directory.rmdir()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
