"""How processes share one server: each holds a lock while it lives, and the keeper waits for the last."""

import subprocess
import sys
from pathlib import Path

from nexus.devservices.errors import ServicesError
from nexus.devservices.locks import FileLock, exclusively, is_held
from nexus.devservices.servers import SERVERS

_PROJECT = Path(__file__).resolve().parent.parent.parent
_held: dict[tuple[str, Path], FileLock] = {}
_keepers: list[subprocess.Popen[str]] = []


def attach(kind: str, directory: Path, throw_away: bool = False) -> str:
    """The URL of the server of a directory, started if need be, kept running until this process ends.

    Raises ServicesError when it cannot be started.
    """
    with exclusively(directory / f"{kind}.start"):
        if (kind, directory) not in _held:
            lock = FileLock(directory / f"{kind}.users")
            lock.share()
            _held[kind, directory] = lock
        url = _running(kind, directory)
        return url or _start_keeper(kind, directory, throw_away)


def outlive_exec() -> None:
    """Keep everything attached for the program that this process is about to become."""
    for lock in _held.values():
        lock.outlive_exec()


def in_use(kind: str, directory: Path) -> bool:
    """Whether a server of this directory has a user or a keeper."""
    return is_held(directory / f"{kind}.users") or is_held(directory / f"{kind}.keeper")


def _running(kind: str, directory: Path) -> str | None:
    """The URL of the server that runs here already, if it answers."""
    file = directory / f"{kind}.url"
    if not is_held(directory / f"{kind}.keeper") or not file.exists():
        return None
    url = file.read_text()
    return None if SERVERS[kind].problem(url) else url


def _start_keeper(kind: str, directory: Path, throw_away: bool) -> str:
    command = [sys.executable, "-m", "nexus.devservices.keeper", kind, str(directory)]
    if throw_away:
        command.append("--throw-away")
    keeper = subprocess.Popen(  # noqa: S603
        command,
        cwd=_PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    with keeper.stdout as answer:
        word, _, text = answer.readline().strip().partition(" ")
    if word != "ready":
        keeper.wait()
        raise ServicesError(text or f"{SERVERS[kind].title} did not start.")
    _keepers.append(keeper)
    return text
