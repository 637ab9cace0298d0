"""PostgreSQL and Redis for development and tests, brought along as wheels.

``DATABASE_URL`` and ``REDIS_URL`` always win: where they are set nothing is started. Where one is missing,
`ensure` finds the service that already runs for this checkout or starts it; `throw_away` starts empty ones
for a test run. Each service belongs to a small keeper process (`nexus.devservices.keeper`), which lives
exactly as long as some process uses the service, however that process ends.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nexus.devservices.errors import ServicesError
from nexus.devservices.locks import exclusively
from nexus.devservices.servers import SERVERS
from nexus.devservices.sharing import attach, in_use

__all__ = ["DIRECTORY", "Services", "ServicesError", "ensure", "throw_away"]

DIRECTORY = Path(__file__).resolve().parent.parent.parent / ".nexus"


@dataclass(frozen=True)
class Services:
    """Where PostgreSQL and Redis answer."""

    database_url: str
    redis_url: str


def ensure(directory: Path | None = None) -> Services:
    """PostgreSQL and Redis that answer, kept running for as long as this process lives.

    `directory` holds the data, which the next call finds again: ``.nexus`` in the checkout unless told
    otherwise, but below pytest something empty, so that no test touches the data of ``make run``. Raises
    ServicesError, one line that says what to do, when a named service cannot be reached or none started.
    """
    if directory is None and "PYTEST_VERSION" in os.environ:
        return throw_away()
    directory = directory or DIRECTORY
    _check_named()
    _make(directory)
    return Services(_url("postgres", directory), _url("redis", directory))


def throw_away(parent: Path = DIRECTORY / "test") -> Services:
    """Empty services for this process alone; their data goes when it ends. Otherwise like `ensure`."""
    _check_named()
    _make(parent)
    with exclusively(parent / "start.lock"):
        _sweep(parent)
        directory = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
        directory.chmod(0o711)
        return Services(
            _url("postgres", directory, throw_away=True), _url("redis", directory, throw_away=True)
        )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ServicesError(f"{directory} cannot be written ({error.strerror}). Who owns it?") from None


def _check_named() -> None:
    """Raise ServicesError when a service that the environment names does not answer."""
    for server in SERVERS.values():
        named = os.environ.get(server.variable)
        problem = server.problem(named) if named else ""
        if problem:
            raise ServicesError(
                f"{server.variable} is set, but {server.title} does not answer there: {problem}"
            )


def _url(kind: str, directory: Path, throw_away: bool = False) -> str:
    named = os.environ.get(SERVERS[kind].variable)
    return named or attach(kind, directory, throw_away)


def _sweep(parent: Path) -> None:
    """Remove what runs left behind that ended without their keeper (a power cut, a killed container)."""
    for directory in parent.glob("run-*"):
        if not any(in_use(kind, directory) for kind in SERVERS):
            shutil.rmtree(directory, ignore_errors=True)
